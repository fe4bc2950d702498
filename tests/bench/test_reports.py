"""The sections that take long to measure: what they show of figures in the form in which they record them."""

from typing import Any

from bench.report import Plot, Table, markdown
from bench.scale import FULL, QUICK
from bench.sections import growth, path, search, throughput


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


def asked(question: str, range_name: str, **figures: Any) -> dict[str, Any]:
    answered = {"asked": 40, "searches": 1, "p50": 20.0, "p95": 80.0, "cpu": 15.0}
    return {"question": question, "range": range_name, **(figures or answered)}


def search_figures(**changed: Any) -> dict[str, Any]:
    def stage(counts: int, *questions: dict[str, Any]) -> dict[str, Any]:
        visited = {"10 minutes": 100_000, "1 hour": 400_000}
        return {"minutes": 1440, "counts": counts, "visited": visited, "questions": questions}

    figures = {
        "pipeline_documents_per_second": 3_000,
        "documents_per_second": 20_000,
        "bytes_per_million": 130e6,
        "segments": 9,
        "deleted": 1_000,
        "stages": [
            stage(1_000_000, asked("top", "10 minutes")),
            stage(
                10_000_000, asked("top", "10 minutes"), asked("top", "24 hours", asked=1, error="no answer")
            ),
        ],
        "past_days": None,
        "variant_minutes": 0,
        "variants": [],
    }
    return figures | changed


def test_the_goal_of_the_shortest_question_stands_beside_its_p95_and_growth_has_a_row_for_each_history() -> (
    None
):
    blocks = search.report(search_figures())
    text = "\n".join(map(markdown, blocks))
    assert "80 ms (at most 200 ms: reached)" in text
    assert "| 1,000,000 | 100,000 | 20 / 80 | 15 |" in text
    assert "| 10,000,000 | 100,000 | 20 / 80 | 15 |" in text


def test_a_question_without_an_answer_in_time_is_said_and_not_left_out() -> None:
    text = "\n".join(map(markdown, search.report(search_figures())))
    assert "| top | 24 hours |  | 1 |  | over 10,000 |  |" in text
    assert "No answer within the 10 s that the library waits: top over 24 hours." in text


def test_index_settings_stand_beside_how_far_the_deployed_index_differs_from_itself() -> None:
    def variant(name: str, cpu: float) -> dict[str, Any]:
        return {
            "name": name,
            "cpu_seconds_per_million": [30.0, 32.0],
            "bytes_per_million": 130e6,
            "cpu_milliseconds": {"compare": [cpu, cpu + 2]},
        }

    variants = [variant("as deployed", 10), variant("two shards", 20), variant("as deployed, once more", 12)]
    text = "\n".join(map(markdown, search.report(search_figures(variants=variants, variant_minutes=15))))
    assert "differs from itself by up to 1.18 times" in text
    assert "| two shards | 31 (30-32) | 130 | 21 (20-22) |" in text
