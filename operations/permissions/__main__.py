"""Adds recorded calls to the record, and makes docs/reference/permissions.md anew.

PERMISSION_CALLS=/tmp/calls.jsonl python -m pytest -p tests.recording tests/end_to_end
python -m operations.permissions /tmp/calls.jsonl   # --anew forgets what was recorded before
python -m operations.permissions                    # the page alone
"""

import sys
from pathlib import Path

from operations.permissions.deciding import ENVIRONMENT, roles_of
from operations.permissions.page import stacks_of, write_page
from operations.permissions.record import (
    RECORD,
    RecordError,
    one_of_each,
    read_record,
    short_named,
    write_record,
)


def add(file: Path, *, anew: bool = False) -> None:
    """Raises RecordError."""
    roles = roles_of(stacks_of(ENVIRONMENT), ENVIRONMENT)
    named = (short_named(each, roles) for each in read_record(file))
    made = [each for each in named if each is not None]
    before = [] if anew or not RECORD.exists() else read_record()
    write_record(one_of_each([*made, *before], roles))


def main(arguments: list[str]) -> None:
    anew = "--anew" in arguments
    files = [Path(argument) for argument in arguments if argument != "--anew"]
    if len(files) > 1 or not all(file.is_file() for file in files):
        sys.exit("Name the file that PERMISSION_CALLS named when the calls were made.")
    try:
        for file in files:
            add(file, anew=anew)
        write_page()
    except RecordError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
