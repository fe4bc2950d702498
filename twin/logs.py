"""The last errors in the logs of a part of the twin, for the message of a failed wait."""

import re
from collections.abc import Sequence
from pathlib import Path

MAX_ERRORS = 3
MAX_LINES_AN_ERROR = 8
MAX_LINES_WITHOUT_ERROR = 20
MAX_BYTES_READ = 1024 * 1024

# An entry begins with a date, as log4j and Python's logging write it (OpenSearch in brackets), or with a
# program's traceback.
_ENTRY = re.compile(r"\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d|Traceback \(most recent call last\)")
_ERROR = re.compile(r"\b(ERROR|FATAL|CRITICAL)\b|Traceback|\b[\w.]*(Exception|Error)\b:?")
_REASON = re.compile(r"\s*(Caused by: .*|[\w.]+(Exception|Error)\b.*)")

_WHAT_TO_DO = (
    (
        re.compile(r"No space left on device|Disk quota exceeded|ENOSPC"),
        "the disk is full: free room in the folder for temporary files, or set TMPDIR to another one",
    ),
    (
        re.compile(r"address already in use|failed to bind|BindException", re.IGNORECASE),
        "another program took that port just before: run it again",
    ),
    (
        re.compile(
            r"OutOfMemoryError|Cannot allocate memory|insufficient memory|Not enough space|MemoryError",
        ),
        "memory is short: close other programs, or give this machine more; docs/start/twin.md says how much "
        "the twin takes",
    ),
)


def last_errors(logs: Sequence[Path]) -> str:
    """`the last errors of LOG:` and each log's newest errors with their causes, or its end if it has none;
    `the log is empty: LOG` where none says anything."""
    told = [
        f"{log}:\n{_indented(_errors_or_end(log))}" for log in logs if log.is_file() and log.stat().st_size
    ]
    if not told:
        return f"the log is empty: {', '.join(str(log) for log in logs)}"
    return "the last errors of " + "\n".join(told)


def what_to_do(text: str) -> str | None:
    """A remedy for the errors in `text`, if one is known."""
    return next((advice for pattern, advice in _WHAT_TO_DO if pattern.search(text)), None)


def _errors_or_end(log: Path) -> list[str]:
    lines = _end_of(log)
    errors: dict[str, list[str]] = {}  # by the text after the date, so that a repeated error is shown once
    for entry in _entries(lines):
        if any(_ERROR.search(line) for line in entry):
            shortened = _shortened(entry)
            what = re.sub(r"[\d,.:-]+", "", shortened[0]) + (shortened[-1] if len(shortened) > 1 else "")
            errors.pop(what, None)
            errors[what] = shortened
    if not errors:
        return lines[-MAX_LINES_WITHOUT_ERROR:]
    return [line for error in list(errors.values())[-MAX_ERRORS:] for line in error]


def _end_of(log: Path) -> list[str]:
    with log.open("rb") as content:
        size = content.seek(0, 2)
        content.seek(max(0, size - MAX_BYTES_READ))
        return content.read().decode("utf-8", errors="replace").splitlines()


def _entries(lines: Sequence[str]) -> list[list[str]]:
    entries: list[list[str]] = []
    for line in lines:
        if not entries or _ENTRY.match(line):
            entries.append([])
        entries[-1].append(line)
    return entries


def _shortened(entry: Sequence[str]) -> list[str]:
    """Its first line and the lines with reasons, of which the last is the root cause."""
    reasons = [line for line in entry[1:] if _REASON.match(line)]
    return [line[:500] for line in [entry[0], *reasons[-(MAX_LINES_AN_ERROR - 1) :]]]


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
