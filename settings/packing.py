"""How many clicks a record holds, and how many records carry the declared peak.

Pure functions of the settings. What is declared is checked against what its sender can gather and send.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

from contract.limits import PUT_RECORDS
from settings.forwarder import ForwarderSettings
from settings.latency import LAMBDA_POLL_SECONDS, MOBILE_APP_FLUSH_SECONDS, WEB_SERVER_FLUSH_SECONDS
from settings.peak import PeakSettings

MAX_MOBILE_CLICKS_PER_RECORD = 5_000
"""The forwarder refuses a record of more; a test compares it with lambdas/forwarder/reading.py."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """What a stream takes in a second."""

    per_second: float
    bytes_per_second: float

    def __add__(self, other: "Records") -> "Records":
        return Records(
            per_second=self.per_second + other.per_second,
            bytes_per_second=self.bytes_per_second + other.bytes_per_second,
        )


def mobile_records(peak: PeakSettings) -> Records:
    """Of the apps at the peak."""
    clicks = peak.mobile_clicks_per_second
    return Records(
        per_second=clicks / peak.mobile_clicks_per_record, bytes_per_second=clicks * peak.click_bytes
    )


def web_records(peak: PeakSettings) -> Records:
    """Of the web servers at the peak."""
    clicks = peak.web_clicks_per_second
    return Records(per_second=clicks / peak.web_clicks_per_record, bytes_per_second=clicks * peak.click_bytes)


def forwarded_records(peak: PeakSettings, forwarder: ForwarderSettings, *, lanes: int) -> Records:
    """What the forwarder writes at the peak: in each batch full records and one for the rest, but no more
    than a record for each click. It may end a record up to a tenth earlier.

    lanes: of all shards. A window of 0 seconds ends with Lambda's poll.
    """
    clicks = peak.mobile_clicks_per_second
    sent = clicks * peak.click_bytes
    full = max(1, forwarder.record_bytes // peak.click_bytes)  # of whole clicks
    batches = lanes / max(float(forwarder.batching_window_seconds), LAMBDA_POLL_SECONDS)
    return Records(per_second=min(clicks, batches + clicks / full), bytes_per_second=sent)


def problems(peak: PeakSettings) -> Iterator[str]:
    """Declared clicks of a record that no sender can reach, and how to correct them."""
    if peak.web_clicks_per_record > 1 and peak.web_servers is None:
        yield (
            f"peak.web_clicks_per_record ({peak.web_clicks_per_record:g}) is not known to be possible "
            "without peak.web_servers: set it to the number of web servers at the peak, or remove "
            "peak.web_clicks_per_record"
        )
    elif peak.web_clicks_per_record > (gathered := web_clicks_per_flush(peak)):
        yield (
            f"peak.web_clicks_per_record ({peak.web_clicks_per_record:g}) is more than a web server gathers "
            f"in its flush interval of {WEB_SERVER_FLUSH_SECONDS:g} s at the peak "
            f"({peak.web_clicks_per_second:,g} clicks/s on peak.web_servers = {peak.web_servers}): set it to "
            f"{_rounded_down(gathered)} or less, or correct peak.web_servers"
        )
    most = max(1.0, peak.mobile_clicks_per_second * MOBILE_APP_FLUSH_SECONDS)
    if peak.mobile_clicks_per_record > most:
        yield (
            f"peak.mobile_clicks_per_record ({peak.mobile_clicks_per_record:g}) is more than all apps "
            f"together click in {MOBILE_APP_FLUSH_SECONDS:g} s at the peak: set it to "
            f"{_rounded_down(most)} or less"
        )
    if peak.mobile_clicks_per_record > MAX_MOBILE_CLICKS_PER_RECORD:
        yield (
            f"peak.mobile_clicks_per_record ({peak.mobile_clicks_per_record:g}) is more than the "
            f"{MAX_MOBILE_CLICKS_PER_RECORD:,} clicks of a record that the forwarder takes from an app: "
            f"set it to {MAX_MOBILE_CLICKS_PER_RECORD} or less"
        )
    for key, clicks in (
        ("web_clicks_per_record", peak.web_clicks_per_record),
        ("mobile_clicks_per_record", peak.mobile_clicks_per_record),
    ):
        if clicks > 1 and clicks * peak.click_bytes > PUT_RECORDS.record_bytes:
            fit = max(1, PUT_RECORDS.record_bytes // peak.click_bytes)
            yield (
                f"peak.{key} ({clicks:g}) x peak.click_bytes ({peak.click_bytes}) is more than the 1 MiB of "
                f"a record: set peak.{key} to {fit} or less"
            )


def web_clicks_per_flush(peak: PeakSettings) -> float:
    """Clicks that a web server gathers between two flushes at the peak; at least the one that it sends."""
    servers = peak.web_servers or 1
    return max(1.0, peak.web_clicks_per_second / servers * WEB_SERVER_FLUSH_SECONDS)


def _rounded_down(clicks: float) -> str:
    return f"{floor(clicks * 10) / 10:g}"
