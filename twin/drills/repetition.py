"""Clicks that were sent again because nobody knew whether the first copy had arrived."""

from contract.click import Unread, read_line
from twin.twin import Twin


def repeated_clicks(twin: Twin) -> int:
    """How many clicks the source stream has taken beyond the first copy of each. A producer or the forwarder
    sends again what got no answer, as on a busy machine; the application counts each copy."""
    raw = twin.delivery_streams[twin.names.raw_backup_delivery_stream]
    seen: set[str] = set()
    repeated = 0
    with raw.journal.open("rb") as journal:
        for line in journal:
            for click in read_line(line.rstrip(b"\n")):
                click_id = None if isinstance(click, Unread) else click.fields.get("click_id")
                if isinstance(click_id, str):
                    repeated += click_id in seen
                    seen.add(click_id)
    return repeated
