"""Which calls each role made in recorded runs of the tests, and what its policies say of them and of others.

deciding.py     policies of the templates, and the twin's own decision on a call
record.py       the recorded calls: calls.jsonl
needed.py       which statements and actions they needed
reasons.py      why the others stay
options.py      what only a setting makes
page.py         docs/reference/permissions.md
"""
