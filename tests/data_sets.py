"""Two real logs as clicks, for tests and the twin: a day of Wikipedia edits, 1,000 requests to a web site.

Both take the folder that holds the data sets (the fixture `shared_data`).
"""

import gzip
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from contract.event_time import format_time

Click = dict[str, str]

# timestamp, clientID, objectID, size (4 bytes each), method, status, type, server (1 byte each); big-endian
WORLDCUP_REQUEST = struct.Struct(">IIIIBBBB")


def wikiticker_clicks(shared_data: Path) -> Iterator[Click]:
    """An edit stands for a click of its user on its page. 39,244 clicks of 2015-09-12."""
    file = shared_data / "wikiticker" / "wikiticker-2015-09-12-sampled.json.gz"
    with gzip.open(file, "rt", encoding="utf-8") as edits:
        for number, line in enumerate(edits):
            edit = json.loads(line)
            yield {
                "click_id": f"wikiticker-{number}",
                "clicked_at": edit["time"],
                "user_id": edit["user"],
                "article_id": edit["page"],
            }


def worldcup98_clicks(shared_data: Path) -> Iterator[Click]:
    """A request stands for a click of its client on its object. 1,000 clicks from 1998-04-30 on."""
    requests = gzip.decompress((shared_data / "worldcup98" / "test_log.gz").read_bytes())
    for number, (seconds, client, requested, *_) in enumerate(WORLDCUP_REQUEST.iter_unpack(requests)):
        yield {
            "click_id": f"worldcup98-{number}",
            "clicked_at": format_time(datetime.fromtimestamp(seconds, UTC)),
            "user_id": str(client),
            "article_id": str(requested),
        }
