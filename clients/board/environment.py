"""What the board tells of the environment beside its counts: its alarms, and refused segments."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime

from clients.batch_server.credentials import own_session, role_session
from clients.board.alarms import NOT_NAMED, Alarm, ReadAlarms, connect_alarms
from clients.board.messages import alarms_message, refused_message
from clients.board.ranking_freshness import Viewers
from clients.board.refused import ReadRefused, connect_refused
from clients.board.watched import Watched
from contract.segments_receipt import RefusedUpload


def connect_environment(
    environment: str | None, role_arn: str | None, oregon: str, tokyo: str
) -> tuple[ReadAlarms | None, ReadRefused | None]:
    """How its alarms and refused segments are read, as `role_arn` or this machine; oregon, tokyo: the regions
    in these places; environment: its name. Raises TrendsError."""
    if environment is None:
        return None, None
    session = role_session(own_session(), role_arn, oregon) if role_arn else own_session()
    alarms = connect_alarms(session, environment, (tokyo, oregon))
    return alarms, connect_refused(session, environment, oregon)


class EnvironmentState:
    """alarms, refused: None where nobody told how to read them, which the page says."""

    def __init__(
        self,
        alarms: ReadAlarms | None,
        refused: ReadRefused | None,
        viewers: Viewers,
        clock: Callable[[], datetime],
    ) -> None:
        self._alarms: Watched[Sequence[Alarm]] = Watched(
            "the alarms", alarms, viewers, clock, unread=NOT_NAMED
        )
        self._refused: Watched[Sequence[RefusedUpload]] = Watched(
            "the refused segments", refused, viewers, clock, unread=NOT_NAMED
        )

    async def run(self) -> None:
        await asyncio.gather(self._alarms.run(), self._refused.run())

    def events(self) -> dict[str, bytes]:
        """Name of the event to its data."""
        told = {
            "alarms": alarms_message(self._alarms.seen),
            "refused": refused_message(self._refused.seen),
        }
        return {name: json.dumps(message).encode() for name, message in told.items()}
