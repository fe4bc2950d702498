"""The function's environment variables, under the names that the infrastructure uses too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

APPLICATION = "APPLICATION"
RUNTIME = "RUNTIME"
ROLE_ARN = "ROLE_ARN"
LOG_STREAM_ARN = "LOG_STREAM_ARN"
CODE_BUCKET_ARN = "CODE_BUCKET_ARN"
CODE_KEY = "CODE_KEY"
JAR_IN_ZIP = "JAR_IN_ZIP"
PARALLELISM = "PARALLELISM"
MAX_HOURS = "MAX_HOURS"
RAW_BUCKET = "RAW_BUCKET"
SEGMENTS_BUCKET = "SEGMENTS_BUCKET"
SINKS = "SINKS"
COUNTS_PER_SECOND = "COUNTS_PER_SECOND"
LATENESS_HOURS = "LATENESS_HOURS"
KEPT_DAYS = "KEPT_DAYS"
REMEMBERED_HOURS = "REMEMBERED_HOURS"


@dataclass(frozen=True, kw_only=True)
class ReplayConfiguration:
    """application: the name of the one that exists while a replay counts; sinks: delivery stream by table of
    counts; lateness: after which the live path rejects a click; kept: for which raw objects are;
    remembered_hours: of a click id, None where repeated ones count."""

    application: str
    runtime: str
    role_arn: str
    log_stream_arn: str
    code_bucket_arn: str
    code_key: str
    jar_in_zip: str
    parallelism: int
    longest: timedelta
    raw_bucket: str
    segments_bucket: str
    sinks: Mapping[str, str]
    counts_per_second: float
    lateness: timedelta
    kept: timedelta
    remembered_hours: int | None
    region: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReplayConfiguration":
        return cls(
            application=environment[APPLICATION],
            runtime=environment[RUNTIME],
            role_arn=environment[ROLE_ARN],
            log_stream_arn=environment[LOG_STREAM_ARN],
            code_bucket_arn=environment[CODE_BUCKET_ARN],
            code_key=environment[CODE_KEY],
            jar_in_zip=environment[JAR_IN_ZIP],
            parallelism=int(environment[PARALLELISM]),
            longest=timedelta(hours=int(environment[MAX_HOURS])),
            raw_bucket=environment[RAW_BUCKET],
            segments_bucket=environment[SEGMENTS_BUCKET],
            sinks=json.loads(environment[SINKS]),
            counts_per_second=float(environment[COUNTS_PER_SECOND]),
            lateness=timedelta(hours=int(environment[LATENESS_HOURS])),
            kept=timedelta(days=int(environment[KEPT_DAYS])),
            remembered_hours=int(environment.get(REMEMBERED_HOURS, 0)) or None,
            region=environment["AWS_REGION"],
        )
