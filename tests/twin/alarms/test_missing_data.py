"""The tables of the CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data":
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""

import pytest

from twin.alarms.missing_data import Missing, State, state_of

RETAINED = "retain"
THREE_OF_THREE = {
    "0 - X - X": ["OK", "OK", "OK", "OK"],
    "0 - - - -": ["OK", "OK", "OK", "OK"],
    "- - - - -": ["INSUFFICIENT_DATA", RETAINED, "ALARM", "OK"],
    "0 X X - X": ["ALARM", "ALARM", "ALARM", "ALARM"],
    "- - X - -": ["ALARM", RETAINED, "ALARM", "OK"],
}
TWO_OF_THREE = {
    "0 - X - X": ["ALARM", "ALARM", "ALARM", "ALARM"],
    "0 0 X 0 X": ["ALARM", "ALARM", "ALARM", "ALARM"],
    "0 - X - -": ["OK", "OK", "ALARM", "OK"],
    "- - - - 0": ["OK", "OK", "ALARM", "OK"],
    "- - - X -": ["ALARM", RETAINED, "ALARM", "OK"],
}
ROWS = [
    (breaching, row, missing, state)
    for breaching, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for row, states in table.items()
    for missing, state in zip(Missing, states, strict=True)
]


def _state(row: str, breaching: int, missing: Missing, current: State) -> State:
    points = [{"0": False, "X": True, "-": None}[point] for point in row.split()]
    return state_of(points, breaching=breaching, periods=3, missing=missing, current=current)


@pytest.mark.parametrize("current", State)
@pytest.mark.parametrize(("breaching", "row", "missing", "state"), ROWS)
def test_each_row_of_the_tables_of_the_guide_holds(
    breaching: int, row: str, missing: Missing, state: str, current: State
) -> None:
    assert _state(row, breaching, missing, current) == (current if state == RETAINED else state)


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_a_single_new_breaching_datapoint_is_premature(row: str) -> None:
    for current in State:
        assert _state(row, 3, Missing.MISSING, current) is current


def test_breaching_silence_enters_alarm_when_the_last_good_datapoint_has_left() -> None:
    assert _state("0 - - - -", 3, Missing.BREACHING, State.OK) is State.OK
    assert _state("- - - - -", 3, Missing.BREACHING, State.OK) is State.ALARM


def test_older_datapoints_count_only_where_newer_ones_are_missing() -> None:
    for missing in Missing:
        assert _state("X X 0 0 X", 2, missing, State.ALARM) is State.OK
        assert _state("X X 0 - -", 2, missing, State.OK) is State.ALARM
