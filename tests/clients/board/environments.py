"""Alarms and refused segments, some with hostile names, as a board reads them."""

from clients.board.alarms import Alarm
from contract.segment_rows import Reason
from contract.segments_receipt import RefusedUpload

HOSTILE = '<img src=x onerror="document.title=1">\u202e'


def alarm(
    name: str, state: str, minute: int = 0, runbook: str = "docs/operate/runbook.md#rankingage"
) -> Alarm:
    return {
        "name": name,
        "region": "us-west-2",
        "state": state,
        "since": f"2026-01-31T09:{minute:02}:00+00:00",
        "reason": f"1 datapoint {HOSTILE}",
        "shows": "The newest ranking is old.",
        "runbook": runbook,
    }


ALARMS = [
    alarm("click-trends-production-a-RankingAge", "ALARM", 5),
    alarm("click-trends-production-b-Errors", "ALARM", 15, "https://wiki.example/runbook#errors"),
    alarm(f"click-trends-production-{HOSTILE}", "OK", 1, "javascript:document.title=1"),
    alarm("click-trends-production-c-Nodes", "INSUFFICIENT_DATA"),
]
REFUSED = [
    RefusedUpload(
        name=f"{HOSTILE}.csv",
        upload="1",
        uploaded_at=1_769_850_000,
        reasons=(Reason(None, "no header"), Reason(3, HOSTILE), Reason(4, "b"), Reason(5, "c")),
        number=1_204,
    )
]
