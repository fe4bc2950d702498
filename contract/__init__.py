"""What crosses a border of the system: clicks, segments and counts. docs/reference/contracts.md promises it.

Used by producers, consumers, the twin and the tests; needs nothing but the standard library.
"""
