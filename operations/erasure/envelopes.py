"""Takes a reader's clicks out of what carries records in base64: dead letters, the batches that Lambda gave
up, and the documents of records that Firehose could not process.

What carries nothing more goes, and so does one that names the reader as its partition key and shows no click
of another; a partition key that stays is blanked.
"""

import base64
import binascii
import json
from typing import Any

from contract.click import Click, Unread, read
from lambdas.forwarder.reading import UNPARSEABLE
from lambdas.shared.failed_documents import documents
from operations.erasure.cutting import Taken, Takes, Unit, cut_record
from operations.erasure.reader import ErasedReader

BLANK_KEY = "-"
_FORMS = ((", ", ": "), (",", ":"))
"""Separators of JSON, as Python and others write it."""


class UnreadableEnvelopeError(Exception):
    """The object is not as its writer documents it."""


def cut_letters(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    """Of dead letters (lambdas/forwarder/dead_letters.py). Raises InexactError."""
    return b"".join(_cut_letter(line, reader, taken) for line in content.splitlines(keepends=True))


def _cut_letter(line: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    letter = _object(line)
    data = _decoded(letter.get("data")) if letter else None
    if letter is None or data is None:
        if not reader.is_in(line.decode("utf-8", "replace")):
            return line
        taken.add(line, [Unread(line)])
        return b""
    is_one = letter.get("place") is not None
    rest: list[Unit] = [Unread(data)] if is_one and letter.get("reason") == UNPARSEABLE else []
    left = b"" if any(map(reader.has_clicked, rest)) else _cut_data(data, reader, Taken())
    names_reader = letter.get("partition_key") == reader.user_id
    if names_reader and not _shows_another(left):
        left = b""
    if left == data and not names_reader:
        return line
    taken.add(line, _gone(data, left) or [Unread(data)])
    if not left:
        return b""
    letter["data"] = base64.b64encode(left).decode()
    if names_reader:
        letter["partition_key"] = BLANK_KEY
    return _written_like(line, letter) + b"\n"


def cut_batch(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    """Of a batch that Lambda gave up; its records stay as many, but for those with nothing left.

    Lambda's developer guide, "Configure error handling controls ... with Kinesis", has the format: `payload`
    is the whole event. Raises UnreadableEnvelopeError, InexactError.
    """
    if not content:
        return content
    invocation = _object(content)
    payload = invocation.get("payload") if invocation else None
    event = _object(payload.encode()) if isinstance(payload, str) else payload
    if not invocation or not isinstance(event, dict) or not isinstance(event.get("Records"), list):
        raise UnreadableEnvelopeError("it is no batch that Lambda gave up")
    before = taken.units
    kept = [left for record in event["Records"] if (left := _cut_event_record(record, reader, taken))]
    if taken.units == before:
        return content
    event["Records"] = kept
    invocation["payload"] = (
        _written_like(payload.encode(), event).decode() if isinstance(payload, str) else event
    )
    return _written_like(content, invocation)


def _cut_event_record(record: Any, reader: ErasedReader, taken: Taken) -> Any:
    """None if nothing is left of it. Raises UnreadableEnvelopeError."""
    kinesis = record.get("kinesis") if isinstance(record, dict) else None
    data = _decoded(kinesis.get("data")) if isinstance(kinesis, dict) else None
    if data is None or not isinstance(kinesis, dict):
        raise UnreadableEnvelopeError("a record of the batch has no data")
    left = _cut_data(data, reader, Taken())
    names_reader = kinesis.get("partitionKey") == reader.user_id
    if names_reader and not _shows_another(left):
        left = b""
    if left == data and not names_reader:
        return record
    taken.add(data, _gone(data, left) or [Unread(data)])
    if not left:
        return None
    changed = {**kinesis, "data": base64.b64encode(left).decode()}
    if names_reader:
        changed["partitionKey"] = BLANK_KEY
    return {**record, "kinesis": changed}


def cut_documents(content: bytes, reader: ErasedReader, taken: Taken, takes: Takes) -> bytes:
    """Of the documents that Firehose writes of records it could not process, a record in each.

    Amazon Data Firehose developer guide, "Handle data delivery failures". Raises InexactError.
    """
    lines = (_cut_document_line(line, reader, taken, takes) for line in content.split(b"\n"))
    return b"\n".join(line for line in lines if line is not None)


def _cut_document_line(line: bytes, reader: ErasedReader, taken: Taken, takes: Takes) -> bytes | None:
    """None if nothing is left of a line that held something."""
    changed = False
    parts = []
    for part, document in documents([line]):
        left = _cut_document(part, document, reader, taken, takes)
        changed |= left != part
        parts.append(left)
    if not changed:
        return line
    return b"".join(parts) or None


def _cut_document(
    part: bytes, document: dict[str, Any] | None, reader: ErasedReader, taken: Taken, takes: Takes
) -> bytes:
    data = _decoded(document.get("rawData")) if document else None
    if document is None or data is None:
        if not reader.is_in(part.decode("utf-8", "replace")):
            return part
        taken.add(part, [Unread(part)])
        return b""
    inner = Taken()
    left = _cut_data(data, reader, inner, takes)
    if left == data:
        return part
    taken.add(part, _gone(data, left))
    if not left:
        return b""
    return _written_like(part, {**document, "rawData": base64.b64encode(left).decode()})


def _cut_data(data: bytes, reader: ErasedReader, taken: Taken, takes: Takes | None = None) -> bytes:
    return cut_record(data, takes or reader.has_clicked, taken, reader.may_be_in, user_id=reader.written)


def _gone(before: bytes, after: bytes) -> list[Unit]:
    """Units that are in one and no longer in the other, in order."""
    left = list(read(after))
    gone = []
    for unit in read(before):
        if left and left[0] == unit:
            left.pop(0)
        else:
            gone.append(unit)
    return gone


def _shows_another(data: bytes) -> bool:
    """Whether a click in it has a reader; the one whose clicks go has none left in it."""
    return any(
        isinstance(unit, Click) and unit.fields.get("user_id") not in (None, "") for unit in read(data)
    )


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decoded(data: Any) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return None


def _written_like(before: bytes, value: dict[str, Any]) -> bytes:
    """JSON in the form of the text before, if that is one of those in use."""
    parsed = json.loads(before)
    form = next((form for form in _FORMS if _dumped(parsed, form) == before.strip()), _FORMS[1])
    return _dumped(value, form)


def _dumped(value: Any, form: tuple[str, str]) -> bytes:
    return json.dumps(value, separators=form).encode()
