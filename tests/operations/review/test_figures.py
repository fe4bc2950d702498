"""Figures before and after: what is later, and what is not known."""

from operations.cost.range import Range
from operations.review import headroom
from operations.review.figures import NONE, Figures, figure_findings
from operations.review.findings import Kind
from settings import Settings

BEFORE = Figures(
    tables={"Cost": {"total": "1 to 2"}},
    usd=Range(low=1, high=2),
    worst_seconds={"web servers": 10.0},
    served_seconds={"web servers": 70.0},
)


def later(visible: float, served: float) -> list[str]:
    after = Figures(
        tables=BEFORE.tables,
        usd=BEFORE.usd,
        worst_seconds={"web servers": visible},
        served_seconds={"web servers": served},
    )
    return [finding.text for finding in figure_findings(BEFORE, after)]


def test_a_longer_feedback_period_is_told_as_later_at_the_service() -> None:
    (text,) = later(10.0, 610.0)
    assert "reach the service later**: at worst 610.0 s after the click instead of 70.0 s" in text


def test_what_is_visible_later_and_so_served_later_is_told_once() -> None:
    (text,) = later(15.0, 75.0)
    assert "become visible later" in text


def test_a_hop_without_traffic_has_a_head_room_that_can_be_shown() -> None:
    streams = {"mode": "provisioned", "mobile_shards": 1, "source_shards": 4}
    settings = Settings.model_validate(
        {
            "environment": "trial",
            "account": "111111111111",
            "peak": {"mobile_share": 0},
            "streams": streams,
        }
    )
    shown = {hop: headroom.shown(times) for hop, times in headroom.headroom(settings).items()}
    assert shown["mobile stream"] == "no traffic"
    assert shown["source stream"].endswith(" x")


def test_figures_of_before_that_are_not_known_are_not_passed_over() -> None:
    (finding,) = figure_findings(NONE, BEFORE)
    assert finding.kind is Kind.NOT_UNDERSTOOD
    assert not list(figure_findings(NONE, BEFORE, existed=False))
