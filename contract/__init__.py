"""What crosses a border of the system: clicks, segments and counts, as docs/contracts.md promises them.

Used by producers, readers, the twin and the tests; needs nothing but the standard library.
"""
