"""Files and buffer of the log collector on a web server (clients/web_servers/)."""

import math
from typing import Annotated

from pydantic import Field

from settings.section import Section

# No character that is special in a shell pattern, a list, a time format or YAML.
_PATH = r"^(/[A-Za-z0-9._-]+)+$"


class WebServerSettings(Section):
    click_log: str = Field(
        default="/var/log/nginx/clicks.log",
        pattern=_PATH,
        description="Log to which the web server writes each click as a line of JSON: an absolute path of "
        "letters, digits and . _ -",
    )
    state_directory: str = Field(
        default="/var/lib/click-trends",
        pattern=_PATH,
        description="Directory of the buffer and of the position in the log, on a persistent disk: an "
        "absolute path as above.",
    )
    buffer_gib: Annotated[int, Field(ge=1, le=32)] = Field(
        default=8,
        description="Limit of fluentd's buffer, in GiB. When it is full, reading the log waits. 8 GiB are "
        "about 58 million clicks. The disk must hold half as much again.",
    )

    @property
    def disk_gib(self) -> int:
        """Most that the buffer takes on disk: small chunks take whole blocks, and each has a second file."""
        return math.ceil(self.buffer_gib * 1.5)
