"""Metric math by the sentences of the user guide, "Using math expressions with CloudWatch metrics"."""

import pytest

from twin.alarms.expressions import Series, evaluated

SERIES: dict[str, Series] = {
    "sent": [5.0, None, 0.0, 7.0],
    "taken": [None, None, None, 3.0],
    "zero": [0.0, 0.0, 1.0, None],
    "counter": [4.0, None, 6.0, 1.0],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sent + taken", [None, None, None, 10.0]),
        ("sent / zero", [None, None, 0.0, None]),
        ("100 * FILL(taken, 0) / sent", [0.0, None, None, 300 / 7]),
        ("sent > 4", [1.0, None, 0.0, 1.0]),
        ("FILL(taken, 0)", [0, 0, 0, 3.0]),
        ("IF(FILL(sent, 0) > 0 AND (FILL(taken, 0)) == 0, 1, 0)", [1.0, 0.0, 0.0, 0.0]),
        ("IF(sent < 6 OR sent == 7, 1, 0)", [1.0, None, 1.0, 1.0]),
        ("IF(sent < 6, 0, taken)", [None, None, None, 3.0]),
        ("DIFF(counter)", [None, None, 2.0, -5.0]),
        ("7", [7, 7, 7, 7]),
    ],
)
def test_an_expression_has_these_datapoints(expression: str, expected: Series) -> None:
    assert evaluated(expression, SERIES, 4) == expected


@pytest.mark.parametrize(
    "expression",
    ["RATE(sent)", "unknown + 1", "sent >", "__import__('os')", "sent.real", "FILL(1, 2)", "1 < sent < 3"],
)
def test_what_is_not_evaluated_is_named(expression: str) -> None:
    with pytest.raises(ValueError, match=r"FILL takes|metric math"):
        evaluated(expression, SERIES, 4)
