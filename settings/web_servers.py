"""Where things stand on a web server, for web_servers/."""

import math
from typing import Annotated

from pydantic import Field

from settings.section import Section

# Without characters that mean something in a shell pattern, a list, a time format or YAML.
_PATH = r"^(/[A-Za-z0-9._-]+)+$"


class WebServerSettings(Section):
    click_log: str = Field(
        default="/var/log/nginx/clicks.log",
        pattern=_PATH,
        description="File to which the web server writes a line of JSON for each click; an absolute path of "
        "letters, digits and . _ -",
    )
    state_directory: str = Field(
        default="/var/lib/click-trends",
        pattern=_PATH,
        description="Directory of the buffer and of the position in the log, on a lasting disk; an absolute "
        "path as above.",
    )
    buffer_gib: Annotated[int, Field(ge=1, le=32)] = Field(
        default=8,
        description="Most that fluentd buffers, in GiB; when it is full, reading the log waits. 8 GiB are "
        "some 45 million clicks. The disk must hold half as much again.",
    )

    @property
    def disk_gib(self) -> int:
        """What the buffer takes at most: small chunks take whole blocks, and each has a file beside it."""
        return math.ceil(self.buffer_gib * 1.5)
