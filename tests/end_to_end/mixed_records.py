"""Records of every form that producers may put, some with damage among their clicks."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

from contract.click import BYTE_ORDER_MARK, read
from tests.aggregated import aggregated
from tests.end_to_end.conftest import Pipeline
from twin.reconciliation import Reconciliation

Clicks = list[bytes]  # the JSON object of each

CLICKS_A_RECORD = 5


def _lines(clicks: Clicks) -> bytes:
    return b"".join(click + b"\n" for click in clicks)


def _array(clicks: Clicks) -> bytes:
    return b"[" + b", ".join(clicks) + b"]"


_WHOLE: Sequence[Callable[[Clicks], bytes]] = (
    _lines,
    b"\n".join,
    b"".join,
    b"\r".join,
    lambda clicks: b"\n\n" + b"\r\n".join(clicks) + b"\r\n\n",
    lambda clicks: b" \t" + b"  ".join(clicks) + b"  \n",
    lambda clicks: BYTE_ORDER_MARK + clicks[0] + b"\n" + BYTE_ORDER_MARK + b" " + b"".join(clicks[1:]),
    _array,
    lambda clicks: b"[] " + _array(clicks[:2]) + b"".join(clicks[2:]) + b"[]\n",
    aggregated,
    lambda clicks: aggregated([_lines(clicks[:2]), b"", b"\n", b"".join(clicks[2:])], key="\u8a18"),
)
_DAMAGED: Sequence[Callable[[Clicks], bytes]] = (
    lambda clicks: _lines(clicks) + clicks[0][:-9],
    lambda clicks: _lines(clicks[:3]) + b"".join(clicks[3:]) + b" no json {}\n",
    lambda clicks: b"[" + clicks[0] + b", 7]\n" + _lines(clicks),
    lambda clicks: b"".join(clicks) + BYTE_ORDER_MARK + b"{}\n",
    lambda clicks: _lines(clicks) + b'{\n"click_id":\n7}\n',
    lambda clicks: _lines(clicks) + b"\xff\xfe\x00" + clicks[0],
    lambda clicks: b"".join(clicks) + b"\0",
    lambda clicks: aggregated([clicks[0], clicks[1] + b"{", aggregated(clicks), *clicks[2:]]),
    lambda clicks: _lines(clicks) + aggregated([b"\xff{}"])[:-1] + b"?",
)


def records_of(clicks: Sequence[dict[str, Any]], *, damaged: bool) -> list[bytes]:
    """Records in which each click can be read once, CLICKS_A_RECORD in each, of one form after the other.

    damaged: every second one holds something unparseable as well.
    """
    written = [json.dumps(click, ensure_ascii=False).encode() for click in clicks]
    forms: Iterator[Callable[[Clicks], bytes]] = cycle(_WHOLE)
    if damaged:
        forms = (form for both in zip(cycle(_WHOLE), cycle(_DAMAGED), strict=False) for form in both)
    starts = range(0, len(written), CLICKS_A_RECORD)
    return [
        form(written[start : start + CLICKS_A_RECORD])
        for start, form in zip(starts, islice(forms, len(starts)), strict=True)
    ]


def settled(pipeline: Pipeline, before: Reconciliation, records: Sequence[bytes]) -> Reconciliation:
    """The reconciliation once it has all that these records hold, and nothing else."""
    units = sum(len(read(record)) for record in records)
    found = before

    def complete() -> bool:
        nonlocal found
        found = pipeline.twin.reconciliation()
        return found.accounted_for - before.accounted_for >= units

    pipeline.wait_until(complete, f"{units} clicks and rests accounted for")
    assert found.accounted_for - before.accounted_for == units
    return found
