"""Every alarm of the templates has a fault that drives it to ALARM and back in the twin, and was seen to."""

from stacks.monitoring.alarm import AlarmDefinition
from tests.alarm_faults.faults import HOURLY_LANES, LANES
from twin.alarms.fault_table import PAGE, SILENT_UNTIL, page, recorded

PREFIX = "click-trends-production-"
FAULTS = [fault for lane in (*LANES, *HOURLY_LANES) for fault in lane]


def _named(definitions: dict[str, AlarmDefinition]) -> set[str]:
    return {name.removeprefix(PREFIX) for name in definitions}


def test_every_alarm_has_a_fault_that_is_to_drive_it(definitions: dict[str, AlarmDefinition]) -> None:
    assert _named(definitions) == {alarm for fault in FAULTS for alarm in fault.alarms}


def test_every_alarm_was_seen_to_enter_alarm_and_be_ok_again(definitions: dict[str, AlarmDefinition]) -> None:
    assert {row.alarm for row in recorded()} == _named(definitions)


def test_every_row_of_the_record_is_of_an_alarm_and_fault_there_are() -> None:
    pairs = {(alarm, fault.name) for fault in FAULTS for alarm in fault.alarms}
    assert {(row.alarm, row.fault) for row in recorded()} <= pairs


def test_the_page_of_alarms_and_faults_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(recorded())


def test_the_page_names_each_alarm_that_a_first_deployment_sets_off(
    definitions: dict[str, AlarmDefinition],
) -> None:
    silent = {name.removeprefix(PREFIX) for name, each in definitions.items() if each.silence.breaching}
    assert silent == SILENT_UNTIL.keys()
