"""What the board of a run shows beside the counts, read from the emulated AWS."""

from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server import TrendsError
from clients.board.alarms import Alarm
from clients.board.refused import newest_refused
from contract.segments_receipt import RefusedUpload
from names import OREGON, Names
from twin.alarms.states import alarm_states
from twin.emulator import Emulator


class BoardReaders:
    def __init__(self, emulator: Emulator, names: Names) -> None:
        self._emulator = emulator
        self._names = names

    def alarms(self) -> Sequence[Alarm]:
        """Raises TrendsError."""
        try:
            return [alarm.as_json() for alarm in alarm_states(self._emulator)]
        except OSError as error:
            raise TrendsError(f"the emulated CloudWatch does not tell the alarms: {error}") from error

    def refused(self) -> Sequence[RefusedUpload]:
        """Raises TrendsError."""
        try:
            return newest_refused(self._emulator.client("s3", OREGON), self._names.segments_bucket)
        except (BotoCoreError, ClientError) as error:
            raise TrendsError(f"the emulated S3 does not tell the refused files: {error}") from error
