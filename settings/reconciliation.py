"""Check at synth that the hourly reconciliation has time for an hour of the declared traffic."""

from settings.environment import Settings

FUNCTION_SECONDS = 900
"""Lambda ends an invocation after at most 15 minutes (developer guide, "Lambda quotas")."""
SECONDS_PER_MILLION = 14.0
"""For a million clicks of the hour, on one vCPU of Lambda, a hyperthread: a core takes 5.5 s; the rest is S3
(docs/reference/benchmarks.md, "Reconciliation")."""
SECONDS_PER_MILLION_BESIDE = 3.5
"""For a million others, of the hours in which clicks may arrive late: a core takes 1.3 s."""
HOURS_BESIDE = 3
"""Beyond the allowed lateness: before the hour, for clocks that were ahead, and until all is delivered."""


def hours_beside(settings: Settings) -> int:
    """Hours of the raw backup that are read through beside the hour itself."""
    return settings.analytics.allowed_lateness_hours + HOURS_BESIDE


def seconds_of(clicks: float, beside: float) -> float:
    """clicks: of the hour; beside: of the others."""
    return (clicks * SECONDS_PER_MILLION + beside * SECONDS_PER_MILLION_BESIDE) / 1e6


def hour_seconds(settings: Settings) -> float:
    """For the busiest hour, between hours of the mean of a busy month."""
    clicks = settings.peak.clicks_per_second * 3600
    return seconds_of(clicks, clicks * settings.peak.mean_to_peak_max * hours_beside(settings))


def warning(settings: Settings) -> str | None:
    """What does not fit, and what to do."""
    seconds = hour_seconds(settings)
    if seconds <= FUNCTION_SECONDS:
        return None
    peak = settings.peak.clicks_per_second
    fitting = int(peak * FUNCTION_SECONDS / seconds)
    return (
        f"an hour at {peak:,} clicks/s, with the {hours_beside(settings)} others in which its clicks may "
        f"arrive, takes the hourly reconciliation about {seconds:,.0f} s, and Lambda ends it after "
        f"{FUNCTION_SECONDS}: it holds up to about {fitting:,} clicks/s. Shorten "
        "analytics.allowed_lateness_hours, or reconcile such hours by `click-trends reconcile`, which has "
        "no such limit"
    )
