"""Documents that OpenSearch did not take, as Firehose writes them to S3.

Their format: Amazon Data Firehose developer guide, "Handle data delivery failures", OpenSearch Service.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any

_decode = json.JSONDecoder().raw_decode


def documents(lines: Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """(bytes, document) for each document; None if the bytes are not a document. Skips blank lines.

    Firehose's guide promises no line breaks between documents, so a line may hold several.
    """
    for line in lines:
        stripped = line.strip()
        try:
            text = stripped.decode()
        except UnicodeDecodeError:
            yield stripped, None
            continue
        begin = 0
        while begin < len(text):
            try:
                document, end = _decode(text, begin)
            except (ValueError, RecursionError):
                yield text[begin:].encode(), None
                break
            yield text[begin:end].encode(), document if isinstance(document, dict) else None
            begin = end
            while begin < len(text) and text[begin].isspace():
                begin += 1


def was_meant_for(document: dict[str, Any], index: str) -> bool:
    """Whether Firehose named this index, or none.

    After a new generation of the index family (contract/sink.py) it names another. Earlier documents have
    another key or window, and must not meet the present counts.
    """
    named = document.get("esIndexName")
    return not isinstance(named, str) or named == index


def raw_data(document: dict[str, Any]) -> bytes | None:
    """The record that Firehose was given; None if the document has none."""
    try:
        return base64.b64decode(document["rawData"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
