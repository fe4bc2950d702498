"""Where things stand on a web server, for web_servers/."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class WebServerSettings(Section):
    click_log: str = Field(
        default="/var/log/nginx/clicks.log",
        pattern=r"^/\S+$",
        description="File to which the web server writes a line of JSON for each click; an absolute path.",
    )
    state_directory: str = Field(
        default="/var/lib/click-trends",
        pattern=r"^/\S+[^/\s]$",
        description="Directory of the buffer and of the position in the log, on a lasting disk.",
    )
    buffer_gib: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8,
        description="Most that fluentd buffers, in GiB; when it is full, reading the log waits. 8 GiB are "
        "some 25 million clicks.",
    )
