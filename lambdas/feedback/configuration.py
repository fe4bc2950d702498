"""The function's environment variables, under the names that the infrastructure uses too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

ENVIRONMENT = "ENVIRONMENT"
TABLE = "TABLE"
DOMAIN = "DOMAIN"
DOMAIN_REGION = "DOMAIN_REGION"
DOMAIN_SCHEME = "DOMAIN_SCHEME"
SEGMENTS = "SEGMENTS"
WINDOW_MINUTES = "WINDOW_MINUTES"
ARTICLES = "ARTICLES"
MIN_CLICKS = "MIN_CLICKS"
MAX_INPUT_AGE_SECONDS = "MAX_INPUT_AGE_SECONDS"
REFRESH_MINUTES = "REFRESH_MINUTES"
FRESH_SECONDS = "FRESH_SECONDS"
KEEP_HOURS = "KEEP_HOURS"


@dataclass(frozen=True, kw_only=True)
class FeedbackConfiguration:
    """settings/feedback.py describes the fields it shares. environment, table and domain are names; the table
    is in this region."""

    environment: str
    table: str
    domain: str
    domain_region: str
    domain_scheme: str
    segments: tuple[str, ...]
    window: timedelta
    articles: int
    min_clicks: int
    max_input_age: timedelta
    refresh_after: timedelta
    fresh_for: timedelta
    keep_for: timedelta

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "FeedbackConfiguration":
        return cls(
            environment=environment[ENVIRONMENT],
            table=environment[TABLE],
            domain=environment[DOMAIN],
            domain_region=environment[DOMAIN_REGION],
            domain_scheme=environment[DOMAIN_SCHEME],
            segments=tuple(json.loads(environment[SEGMENTS])),
            window=timedelta(minutes=int(environment[WINDOW_MINUTES])),
            articles=int(environment[ARTICLES]),
            min_clicks=int(environment[MIN_CLICKS]),
            max_input_age=timedelta(seconds=int(environment[MAX_INPUT_AGE_SECONDS])),
            refresh_after=timedelta(minutes=int(environment[REFRESH_MINUTES])),
            fresh_for=timedelta(seconds=int(environment[FRESH_SECONDS])),
            keep_for=timedelta(hours=int(environment[KEEP_HOURS])),
        )
