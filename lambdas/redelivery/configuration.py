"""The function's environment variables, under the names that the infrastructure uses too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

BUCKET = "BUCKET"
FAILED_PREFIX = "FAILED_PREFIX"
WAITING_PREFIX = "WAITING_PREFIX"
GIVEN_UP_PREFIX = "GIVEN_UP_PREFIX"
SINKS = "SINKS"
INDICES = "INDICES"
FIRST_PAUSE_SECONDS = "FIRST_PAUSE_SECONDS"
GIVE_UP_AFTER_SECONDS = "GIVE_UP_AFTER_SECONDS"
RECORDS_PER_SECOND = "RECORDS_PER_SECOND"


@dataclass(frozen=True, kw_only=True)
class RedeliveryConfiguration:
    """sinks: delivery stream's ARN by sink name, which is also the folder below each prefix; indices: by sink
    name, the index that its delivery stream names."""

    bucket: str
    failed_prefix: str
    waiting_prefix: str
    given_up_prefix: str
    sinks: Mapping[str, str]
    indices: Mapping[str, str]
    first_pause_seconds: int
    give_up_after_seconds: int
    records_per_second: int
    region: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "RedeliveryConfiguration":
        return cls(
            bucket=environment[BUCKET],
            failed_prefix=environment[FAILED_PREFIX],
            waiting_prefix=environment[WAITING_PREFIX],
            given_up_prefix=environment[GIVEN_UP_PREFIX],
            sinks=json.loads(environment[SINKS]),
            indices=json.loads(environment[INDICES]),
            first_pause_seconds=int(environment[FIRST_PAUSE_SECONDS]),
            give_up_after_seconds=int(environment[GIVE_UP_AFTER_SECONDS]),
            records_per_second=int(environment[RECORDS_PER_SECOND]),
            region=environment["AWS_REGION"],
        )
