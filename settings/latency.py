"""How late a count may be: the settings are checked against it, stage by stage.

Pure functions of the settings. docs/reference/latency.md explains the stages and defines typical and worst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from contract.click import ARRIVAL
from settings.section import Section

if TYPE_CHECKING:
    from settings.environment import Settings

Producer = Literal["web servers", "mobile apps"]

# Periods of the producers; tests compare them with what those do.
WEB_SERVER_FLUSH_SECONDS = 1.0
"""`flush_interval` of clients/web_servers/fluentd.conf, `flush` of fluent-bit.yaml."""
MOBILE_APP_FLUSH_SECONDS = 5.0
"""`flush_seconds` of clients/mobile_app."""
REFRESH_SECONDS = 1.0
"""`refresh_interval` of lambdas/search_bootstrap/definitions.py."""

PUT_SECONDS = (0.05, 1.0)
"""Typical and worst of a request to a service in the same region; the worst is one repetition."""
LAMBDA_POLL_SECONDS = 1.0
"""Lambda polls a shard once a second: Lambda developer guide, "Using Lambda to process
records from Amazon Kinesis Data Streams"."""
INVOCATION_SECONDS = (0.1, 0.7)
"""Start of the function, warm and cold; assumed, as no benchmark here runs on Lambda."""
START_CPU_SECONDS = 0.35
"""Of a cold start: half as much again as importing the handler and creating its client took."""
APPLICATION_POLL_SECONDS = 0.25
"""The application waits this long after an empty read: docs/reference/flow_limits.md, "Reads a second"."""
CHECKPOINT_SECONDS = (0.5, 2.0)
"""Duration of a checkpoint, in which the counts go out; assumed for a state of some GB on S3."""
DELIVERY_SECONDS = (1.0, 5.0)
"""Firehose with no buffering delivers within 5 seconds: Amazon Data Firehose developer guide, "Understand
buffering hints"."""
INDEXING_SECONDS = (0.1, 1.0)
"""A bulk request of 1 MiB in OpenSearch: docs/reference/flow_limits.md, 4,000 documents a second and node."""
FEEDBACK_RUN_SECONDS = (1.0, 10.0)
"""Querying OpenSearch from the other region and writing what changed; assumed."""


class LatencySettings(Section):
    visible_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=30,
        description="Declared target, in seconds: while nothing fails, a search finds a click's count within "
        "this time.",
    )
    served_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=120,
        description="Declared target, in seconds: while nothing fails, the rankings include a click within "
        "this time.",
    )


@dataclass(frozen=True, kw_only=True)
class Seconds:
    typical: float
    worst: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(typical=self.typical + other.typical, worst=self.worst + other.worst)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """name: as the benchmark prints it; setting: the key that governs it, None where none does."""

    name: str
    seconds: Seconds
    setting: str | None = None


@dataclass(frozen=True, kw_only=True)
class LatencyBudget:
    """The stages of a click from one kind of producer.

    to_visible: until a search finds it; to_served: from then until a ranking shows it.
    """

    producer: Producer
    to_visible: tuple[Stage, ...]
    to_served: tuple[Stage, ...]

    @property
    def visible(self) -> Seconds:
        return _total(self.to_visible)

    @property
    def served(self) -> Seconds:
        return self.visible + _total(self.to_served)


def budget(settings: Settings) -> tuple[LatencyBudget, ...]:
    """One budget for each kind of producer, with the stages in the order in which a click passes them."""
    return tuple(
        LatencyBudget(
            producer=producer,
            to_visible=(*to_source_stream(settings), *_counted(settings)),
            to_served=_served(settings),
        )
        for producer, to_source_stream in _PRODUCERS.items()
    )


def problems(settings: Settings) -> Iterator[str]:
    """What is later than the declared target, or than readers of counts rely on, and the settings that cause
    it, the longest first."""
    yield from _late_arrivals(settings)
    yield from _stale_rankings(settings)
    target = settings.latency
    for path in budget(settings):
        for what, worst, limit, stages in (
            ("visible", path.visible.worst, target.visible_seconds, path.to_visible),
            ("served", path.served.worst, target.served_seconds, (*path.to_visible, *path.to_served)),
        ):
            if worst <= limit:
                continue
            yield (
                f"a click from {path.producer} is {what} after {worst:.1f} s at worst, but "
                f"latency.{what}_seconds is {limit}: lower {_longest(stages)}, or set "
                f"latency.{what}_seconds = {ceil(worst)}"
            )


def _late_arrivals(settings: Settings) -> Iterator[str]:
    limit = ARRIVAL.total_seconds()
    for producer, to_source_stream in _PRODUCERS.items():
        stages = (*to_source_stream(settings), _APPLICATIONS_POLL)
        if (worst := _total(stages).worst) > limit:
            yield (
                f"the application reads a click from {producer} after {worst:.1f} s at worst, but the batch "
                f"server calls a minute complete after giving clicks {limit:g} s to arrive: lower "
                f"{_longest(stages)}, or raise ARRIVAL in contract/click.py to {ceil(worst)} s"
            )


def _stale_rankings(settings: Settings) -> Iterator[str]:
    """The feedback may query at any time, so it can find counts as old as the worst time until the next ones
    are visible."""
    stages, limit = _counted(settings), settings.feedback.max_input_age_seconds
    if (worst := _total(stages).worst) > limit:
        yield (
            f"feedback.max_input_age_seconds ({limit}) must be at least the {worst:.1f} s after which counts "
            "are visible at worst, or rankings would stop changing although nothing failed: lower "
            f"{_longest(stages)}, or set feedback.max_input_age_seconds = {ceil(worst)}"
        )


def _longest(stages: tuple[Stage, ...]) -> str:
    """The settings of the three longest stages that have one, the longest first."""
    governed = sorted(
        (stage for stage in stages if stage.setting), key=lambda stage: stage.seconds.worst, reverse=True
    )
    return ", ".join(f"{stage.setting} ({stage.seconds.worst:g} s)" for stage in governed[:3])


_ROUND_TRIP = "forwarder.round_trip_milliseconds"


def _from_web_server(settings: Settings) -> tuple[Stage, ...]:
    return (
        _waiting("producer buffer", WEB_SERVER_FLUSH_SECONDS),
        Stage(name="request to Oregon", seconds=_round_trip(settings), setting=_ROUND_TRIP),
    )


def _from_mobile_app(settings: Settings) -> tuple[Stage, ...]:
    window = float(settings.forwarder.batching_window_seconds)
    return (
        _waiting("producer buffer", MOBILE_APP_FLUSH_SECONDS),
        Stage(name="request to Tokyo", seconds=_seconds(PUT_SECONDS)),
        _waiting("Lambda's poll", LAMBDA_POLL_SECONDS),
        _waiting("forwarder's window", window, setting="forwarder.batching_window_seconds"),
        Stage(name="forwarder's start", seconds=_forwarders_start(settings)),
        Stage(name="request to Oregon", seconds=_round_trip(settings), setting=_ROUND_TRIP),
    )


_PRODUCERS: dict[Producer, Callable[[Settings], tuple[Stage, ...]]] = {
    "web servers": _from_web_server,
    "mobile apps": _from_mobile_app,
}


def _counted(settings: Settings) -> tuple[Stage, ...]:
    publish_every = float(settings.analytics.publish_every_seconds)
    buffer_seconds = float(settings.delivery.counts_buffer_seconds)
    return (
        _APPLICATIONS_POLL,
        _waiting("checkpoint interval", publish_every, setting="analytics.publish_every_seconds"),
        Stage(name="checkpoint", seconds=_seconds(CHECKPOINT_SECONDS)),
        _waiting("Firehose's buffer", buffer_seconds, setting="delivery.counts_buffer_seconds"),
        Stage(name="Firehose's delivery", seconds=_seconds(DELIVERY_SECONDS)),
        Stage(name="indexing", seconds=_seconds(INDEXING_SECONDS)),
        _waiting("refresh", REFRESH_SECONDS),
    )


def _served(settings: Settings) -> tuple[Stage, ...]:
    period = 60.0 * settings.feedback.period_minutes
    return (
        _waiting("feedback period", period, setting="feedback.period_minutes"),
        Stage(name="feedback run", seconds=_seconds(FEEDBACK_RUN_SECONDS)),
    )


def _round_trip(settings: Settings) -> Seconds:
    """The worst is one repetition, of what a shard refused."""
    once = settings.forwarder.round_trip_milliseconds / 1000
    return Seconds(typical=once, worst=once * 2)


def _forwarders_start(settings: Settings) -> Seconds:
    """A smaller function has a smaller share of a vCPU to start with."""
    warm, cold = INVOCATION_SECONDS
    return Seconds(typical=warm, worst=cold + START_CPU_SECONDS / settings.forwarder.vcpus)


def _waiting(name: str, period_seconds: float, *, setting: str | None = None) -> Stage:
    return Stage(
        name=name, seconds=Seconds(typical=period_seconds / 2, worst=period_seconds), setting=setting
    )


def _seconds(typical_and_worst: tuple[float, float]) -> Seconds:
    return Seconds(typical=typical_and_worst[0], worst=typical_and_worst[1])


_APPLICATIONS_POLL = _waiting("application's poll", APPLICATION_POLL_SECONDS)


def _total(stages: tuple[Stage, ...]) -> Seconds:
    return sum((stage.seconds for stage in stages), start=Seconds(typical=0, worst=0))
