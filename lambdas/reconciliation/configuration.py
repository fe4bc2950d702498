"""The function's environment variables, under the names that the infrastructure uses too."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.reconciliation.hours import Delays

ENVIRONMENT = "ENVIRONMENT"
RAW_BUCKET = "RAW_BUCKET"
REJECTED_BUCKET = "REJECTED_BUCKET"
DEAD_LETTER_BUCKET = "DEAD_LETTER_BUCKET"
DEAD_LETTER_REGION = "DEAD_LETTER_REGION"
SEARCH_ENDPOINT = "SEARCH_ENDPOINT"
SINK = "SINK"
INDEX = "INDEX"
ALLOWED_LATENESS_HOURS = "ALLOWED_LATENESS_HOURS"
ARCHIVE_BUFFER_SECONDS = "ARCHIVE_BUFFER_SECONDS"


@dataclass(frozen=True, kw_only=True)
class ReconciliationConfiguration:
    """The buckets are names. search_endpoint: of the domain, with its scheme; sink, index: as in
    lambdas.reconciliation.hours.Buckets; region: of the function and of all but the dead letters. log_group:
    the function's."""

    environment: str
    raw_bucket: str
    rejected_bucket: str
    dead_letter_bucket: str
    dead_letter_region: str
    search_endpoint: str
    sink: str
    index: str
    delays: Delays
    region: str
    log_group: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReconciliationConfiguration":
        return cls(
            environment=environment[ENVIRONMENT],
            raw_bucket=environment[RAW_BUCKET],
            rejected_bucket=environment[REJECTED_BUCKET],
            dead_letter_bucket=environment[DEAD_LETTER_BUCKET],
            dead_letter_region=environment[DEAD_LETTER_REGION],
            search_endpoint=environment[SEARCH_ENDPOINT],
            sink=environment[SINK],
            index=environment[INDEX],
            delays=Delays.of(
                allowed_lateness_hours=int(environment[ALLOWED_LATENESS_HOURS]),
                archive_buffer_seconds=int(environment[ARCHIVE_BUFFER_SECONDS]),
            ),
            region=environment["AWS_REGION"],
            log_group=f"/aws/lambda/{environment['AWS_LAMBDA_FUNCTION_NAME']}",
        )
