"""The alarms of the twin and their states, read from the emulated CloudWatch."""

import json
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from clients.board.alarms import WHAT_TO_DO
from twin.alarms.missing_data import State
from twin.emulator import Emulator


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """since: when it entered the state; reason: of the last evaluation; shows: what ALARM means; runbook:
    where it says what to do."""

    name: str
    region: str
    state: State
    since: datetime
    reason: str
    shows: str
    runbook: str

    def as_json(self) -> dict[str, str]:
        """As the board serves it: texts; `since` in ISO 8601, UTC."""
        return {**asdict(self), "state": str(self.state), "since": self.since.isoformat()}


def alarm_states(emulator: Emulator) -> list[AlarmState]:
    """Of every region, by name."""
    with urllib.request.urlopen(f"{emulator.endpoint}/_twin/alarms", timeout=30) as answer:
        return [_read(said) for said in json.load(answer)]


def _read(said: dict[str, str]) -> AlarmState:
    shows, _, runbook = said["description"].partition(WHAT_TO_DO)
    return AlarmState(
        name=said["name"],
        region=said["region"],
        state=State(said["state"]),
        since=datetime.fromtimestamp(float(said["since"]), UTC),
        reason=said["reason"],
        shows=shows,
        runbook=runbook,
    )
