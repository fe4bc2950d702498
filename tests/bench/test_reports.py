"""The sections that take long to measure: what they show of figures in the form in which they record them."""

from typing import Any

from bench.report import Plot, Table, markdown
from bench.scale import FULL, QUICK
from bench.sections import growth, path, throughput


def point(case: growth.Case) -> dict[str, Any]:
    return {
        "curve": case.curve,
        "x": case.x,
        "cpu_seconds_per_million": 4.0,
        "seconds_per_million": 3.0,
        "peak_mib": 900.0,
        "state_mb": 12.0,
    }


def test_growth_is_a_curve_by_users_and_by_articles_and_a_row_for_each_point() -> None:
    cases = growth.cases(FULL)
    figures = {"clicks": [1, 2], "users": 3, "points": [point(case) for case in cases]}
    blocks = growth.report(figures)
    plots = {block.name: block for block in blocks if isinstance(block, Plot)}
    assert plots.keys() == {"users-cpu", "users-state", "articles-cpu", "articles-state"}
    assert [curve.label for curve in plots["users-cpu"].curves] == ["SQL job", "Flink's temporal join"]
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert len(table.rows) == len(cases)
    assert growth.report({"points": []}) == ("Not part of a quick run.",)


def test_a_quick_run_measures_no_growth() -> None:
    assert growth.cases(QUICK) == []


def test_the_latency_budget_stands_beside_each_measured_stage() -> None:
    seconds = {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    interval = {
        "publish_seconds": 5,
        "probes": 10,
        "total": seconds,
        "stages": dict.fromkeys(path.STAGES, seconds),
    }
    text = "\n".join(map(markdown, path.report({"transport": "files", "intervals": [interval]})))
    typical, worst = path.budgeted(5)["to the checkpoint"]
    assert f"| 5 s: to the checkpoint | 1.00 | 2.00 | 3.00 | {typical:.2f} | {worst:.2f} |" in text
    assert "| 5 s: **click to visible** | 1.00 | 2.00 | 3.00 |" in text


def test_the_highest_rate_that_holds_is_named_with_the_busiest_part() -> None:
    def run(rate: int, holds: bool) -> dict[str, Any]:
        return {
            "rate": rate,
            "seconds": 30,
            "sent_per_second": rate,
            "lag_seconds": 3.0,
            "missing": 0,
            "holds": holds,
            "cores": {"Flink": 0.2, "emulated AWS": 0.9},
        }

    figures = {"transport": "files", "steps": [run(200, True), run(500, False)], "long_run": None}
    text = "\n".join(map(markdown, throughput.report(figures)))
    assert "200 clicks/s for 30 s" in text
    assert "busiest part is: emulated AWS" in text
    assert "| 500 (does not hold) |" in text
