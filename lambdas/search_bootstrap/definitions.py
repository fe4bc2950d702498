"""What the search domain shall hold: the .json files here, filled with the environment's settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIPELINE = "/_ingest/pipeline/click-counts"
TEMPLATE = "/_index_template/click-counts"
RETENTION = "/_plugins/_ism/policies/click-counts-retention"
KEPT_FOR_EVER = "forever"


@dataclass(frozen=True)
class Definition:
    """One PUT: a path of the domain and its body."""

    path: str
    body: dict[str, Any]


def definitions(properties: Mapping[str, str]) -> list[Definition]:
    """What the domain shall hold. Properties: Replicas, a number; RetentionDays, a number or `forever`."""
    pipeline, template = _read("ingest_pipeline.json"), _read("index_template.json")
    template["template"]["settings"]["index"]["number_of_replicas"] = int(properties["Replicas"])
    # The pipeline first: from the moment the template exists, an index needs it.
    wanted = [Definition(PIPELINE, pipeline), Definition(TEMPLATE, template)]
    if properties["RetentionDays"] != KEPT_FOR_EVER:
        policy = _read("retention_policy.json")
        [kept, _] = policy["policy"]["states"]
        kept["transitions"][0]["conditions"]["min_index_age"] = f"{int(properties['RetentionDays'])}d"
        wanted.append(Definition(RETENTION, policy))
    return wanted


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return content
