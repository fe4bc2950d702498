"""Checks that the settings of an environment fit each other. Pure functions of the settings."""

from collections.abc import Iterator
from datetime import timedelta

from contract.click import ARRIVAL
from contract.count import WINDOW
from names import OREGON, TOKYO
from settings import packing
from settings.delivery import DeliverySettings
from settings.environment import Settings
from settings.forwarder import ForwarderSettings
from settings.latency import CHECKPOINT_SECONDS
from settings.regions import Place
from settings.segments import most_users

REDELIVERY_HOURS = 3
"""From the last failure that is redelivered to the last attempt: a pause of up to an hour
(lambdas/redelivery/failed_documents.py) and delivery.counts_retry_seconds, up to two hours."""
DELIVERED_AFTER = timedelta(seconds=15)
"""A published count is in the index within this time; tests compare it with the library's answers.py."""
READ_KNOWN_AFTER = timedelta(seconds=245)
"""While the application reads at the head of the stream, its progress is known within this time; tests
compare it with clients/batch_server/progress.py."""


def problems(settings: Settings) -> Iterator[str]:
    """Conflicts between fields that are each valid, and how to mend them."""
    yield from _region_problems(settings)
    yield from _topic_problems(settings)
    yield from _boundary_problems(settings)
    streams, analytics, search = settings.streams, settings.analytics, settings.search
    if analytics.allowed_lateness_hours > streams.retention_hours:
        yield (
            f"analytics.allowed_lateness_hours ({analytics.allowed_lateness_hours}) must not be longer than "
            f"streams.retention_hours ({streams.retention_hours}), or the stream could drop a click that "
            f"would still be accepted: set streams.retention_hours = "
            f"{analytics.allowed_lateness_hours}, or shorten the allowed lateness"
        )
    kept_seconds = streams.retention_hours * 3600
    if settings.forwarder.max_record_age_seconds > kept_seconds:
        yield (
            f"forwarder.max_record_age_seconds ({settings.forwarder.max_record_age_seconds}) must not be "
            f"longer than streams.retention_hours ({streams.retention_hours}), or the stream could drop a "
            f"record before it goes to the dead-letter bucket: set it to {kept_seconds} or less, or lengthen "
            "the retention"
        )
    yield from _forwarder_problems(settings.forwarder)
    if analytics.parallelism_per_kpu > analytics.parallelism:
        yield (
            f"analytics.parallelism_per_kpu ({analytics.parallelism_per_kpu}) must not exceed "
            f"analytics.parallelism ({analytics.parallelism}): set it to {analytics.parallelism} or less"
        )
    if search.instance_count % search.availability_zones:
        equal_shares = -(-search.instance_count // search.availability_zones) * search.availability_zones
        yield (
            f"search.instance_count ({search.instance_count}) must be a multiple of "
            f"search.availability_zones ({search.availability_zones}), so that each zone has the same number "
            f"of nodes: set it to {equal_shares}, or change the zones"
        )
    peak = settings.peak
    if peak.mean_to_peak_min > peak.mean_to_peak_max:
        yield (
            f"peak.mean_to_peak_min ({peak.mean_to_peak_min}) must not exceed peak.mean_to_peak_max "
            f"({peak.mean_to_peak_max}): set it to {peak.mean_to_peak_max} or less"
        )
    yield from packing.problems(peak)
    if bool(settings.mobile_apps.issuer) != bool(settings.mobile_apps.client_ids):
        yield (
            "mobile_apps.issuer and mobile_apps.client_ids belong together: write the issuer's URL and the "
            "client ids of the apps, or remove both"
        )
    yield from _provider_problems(settings)
    yield from _index_problems(settings)
    yield from _redelivery_problems(settings.delivery)
    yield from _feedback_problems(settings)
    yield from _segments_problems(settings)
    if search.scheme == "http" and not settings.is_twin:
        yield 'search.scheme = "http" is for the twin only: remove it, OpenSearch Service uses https'
    if settings.lambda_processor == "host" and not settings.is_twin:
        yield (
            'lambda_processor = "host" is for the twin only: write "arm64" or "x86_64", so that every '
            "machine synthesises the same template"
        )


def _region_problems(settings: Settings) -> Iterator[str]:
    tokyo, oregon = settings.regions.tokyo, settings.regions.oregon
    for place, region in (("tokyo", tokyo), ("oregon", oregon)):
        if region.startswith(("cn-", "us-gov-")):
            yield (
                f"regions.{place} ({region}) is in another partition than aws, which every ARN here has: "
                "choose a region of the partition aws"
            )
    if tokyo == oregon:
        yield (
            f"regions.tokyo and regions.oregon are both {tokyo}, but the system needs two regions: set two "
            "that differ"
        )
    if settings.is_twin and (tokyo, oregon) != (TOKYO, OREGON):
        yield (
            f"the twin runs in {TOKYO} and {OREGON} only: remove [regions] from an environment of account "
            f"{settings.account}"
        )


def _topic_problems(settings: Settings) -> Iterator[str]:
    places: dict[Place, str] = {"tokyo": settings.regions.tokyo, "oregon": settings.regions.oregon}
    for place, region in places.items():
        arn = settings.alarms.topic_arn(place)
        if arn and arn.split(":")[3:5] != [region, settings.account]:
            key = settings.alarms.key(place)
            yield (
                f"alarms.{key} ({arn}) must be a topic in {region} of account {settings.account}: an alarm "
                "notifies only topics of its own region, and this account must decide who may publish to them"
            )


def _provider_problems(settings: Settings) -> Iterator[str]:
    apps = settings.mobile_apps
    if apps.issuer_provider_arn is None:
        return
    if apps.issuer or apps.client_ids:
        yield (
            "mobile_apps.issuer_provider_arn names an existing provider, which has its own URL and client "
            "ids: remove issuer and client_ids, or remove issuer_provider_arn to create a provider"
        )
    if f"::{settings.account}:" not in apps.issuer_provider_arn:
        yield (
            "mobile_apps.issuer_provider_arn belongs to another account, whose providers an identity pool "
            f"cannot use: write the ARN of the provider in account {settings.account}"
        )


def _boundary_problems(settings: Settings) -> Iterator[str]:
    """A role and its boundary are of one account, or the policy is AWS's (IAM user guide, "Permissions
    boundaries for IAM entities")."""
    boundary = settings.deployment.permissions_boundary
    if boundary is None:
        return
    if settings.is_twin:
        yield (
            "deployment.permissions_boundary is for an account on AWS: remove it, the twin gives its roles "
            "none"
        )
    elif boundary.startswith("arn:") and boundary.split(":")[4] not in {"aws", settings.account}:
        yield (
            f"deployment.permissions_boundary ({boundary}) must be a policy of account {settings.account} or "
            "of AWS: write its name alone for one of this account"
        )


def _forwarder_problems(forwarder: ForwarderSettings) -> Iterator[str]:
    """A record may wait a whole window, and its batch may run a whole invocation, before it first fails."""
    first_failure = forwarder.batching_window_seconds + forwarder.timeout_seconds
    if forwarder.max_record_age_seconds <= first_failure:
        yield (
            f"forwarder.max_record_age_seconds ({forwarder.max_record_age_seconds}) must be longer than "
            f"forwarder.batching_window_seconds ({forwarder.batching_window_seconds}) and "
            f"forwarder.timeout_seconds ({forwarder.timeout_seconds}) together, or a batch would be given up "
            f"when it first fails: set it to {first_failure + 1} or more, or shorten them"
        )


def _index_problems(settings: Settings) -> Iterator[str]:
    """The first count of a day creates its index, up to a minute before the day begins (if a clock is ahead).
    The last count is published when the day's last click is as late as allowed, and may then be redelivered
    until redelivery gives up."""
    days, lateness = settings.search.retention_days, settings.analytics.allowed_lateness_hours
    give_up = settings.delivery.redelivery_give_up_hours
    latest = 24 + lateness + give_up + REDELIVERY_HOURS
    if days is not None and days * 24 <= latest:
        yield (
            f"search.retention_days ({days}) must be longer than a day, "
            f"analytics.allowed_lateness_hours ({lateness}), delivery.redelivery_give_up_hours ({give_up}) "
            f"and {REDELIVERY_HOURS} hours together, or a late or redelivered count would create its day's "
            f"index anew, without the other counts: set search.retention_days = {latest // 24 + 1}, or "
            "shorten the allowed lateness or redelivery"
        )


def _redelivery_problems(delivery: DeliverySettings) -> Iterator[str]:
    """A count first fails when Firehose has retried it for counts_retry_seconds."""
    retried = delivery.counts_retry_seconds
    if 2 * retried > delivery.redelivery_give_up_hours * 3600:
        yield (
            f"delivery.redelivery_give_up_hours ({delivery.redelivery_give_up_hours}) must be at least twice "
            f"delivery.counts_retry_seconds ({retried}), or a count would be given up when it first fails "
            f"and never be redelivered: set it to {-(-2 * retried // 3600)} or more, or shorten the retry"
        )


def _segments_problems(settings: Settings) -> Iterator[str]:
    if settings.segments.max_users > most_users():
        yield (
            f"segments.max_users ({settings.segments.max_users:,}) is more than the function that validates "
            f"uploaded segments has time and memory for: set it to {most_users():,} or less"
        )


def _feedback_problems(settings: Settings) -> Iterator[str]:
    feedback = settings.feedback
    if feedback.refresh_minutes < feedback.period_minutes:
        yield (
            f"feedback.refresh_minutes ({feedback.refresh_minutes}) must not be shorter than "
            f"feedback.period_minutes ({feedback.period_minutes}), as nothing is written between runs: "
            f"set it to {feedback.period_minutes} or more"
        )
    window = timedelta(minutes=feedback.window_minutes)
    most = int(settings.peak.clicks_per_second * window.total_seconds())
    if feedback.min_clicks > most:
        yield (
            f"feedback.min_clicks ({feedback.min_clicks:,}) is more than all clicks within "
            f"feedback.window_minutes ({feedback.window_minutes}) at the declared peak, so no article "
            f"would be in any ranking: set it to far less than {most:,}, or correct [peak]"
        )
    minute = timedelta(minutes=1)
    between_counts = timedelta(seconds=settings.analytics.publish_every_seconds + CHECKPOINT_SECONDS[1])
    known_after = max(READ_KNOWN_AFTER, between_counts + DELIVERED_AFTER) + ARRIVAL
    shortest = -(-(known_after + WINDOW) // minute)
    if feedback.window_minutes < shortest:
        yield (
            f"feedback.window_minutes ({feedback.window_minutes}) must be at least {shortest}: counts of "
            f"{WINDOW} are known to be complete {known_after.total_seconds():g} s after their end, and a "
            f"ranking is written only if some of its counts are complete: set it to {shortest} or more"
        )
    # At least two runs notice that the rankings are no longer fresh, and extend them before they expire.
    kept_minutes = feedback.fresh_seconds // 60 + 2 * feedback.period_minutes
    if feedback.keep_hours * 60 < kept_minutes:
        yield (
            f"feedback.keep_hours ({feedback.keep_hours}) must be at least {kept_minutes} minutes with "
            f"feedback.refresh_minutes ({feedback.refresh_minutes}) and feedback.period_minutes "
            f"({feedback.period_minutes}), or rankings would expire while the counts stand still: set it to "
            f"{-(-kept_minutes // 60)} or more"
        )
