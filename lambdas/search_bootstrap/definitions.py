"""The search domain's definitions for each index family, from the .json files of its folder.

A folder of index_families/ holds an ingest pipeline, an index template and a retention policy. The request
brings the families, their key columns and the environment's settings.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from names import index_pattern, retention_policy

INDEX_FAMILIES = Path(__file__).with_name("index_families")
KEPT_FOR_EVER = "forever"
POLICIES = "/_plugins/_ism/policies/"


@dataclass(frozen=True)
class Definition:
    """A path of the domain and its content; None deletes what is there."""

    path: str
    body: dict[str, Any] | None


def definitions(properties: Mapping[str, Any]) -> list[Definition]:
    """The wanted definitions, in the order in which to put them.

    Properties: IndexFamilies, a list of {Name, IndexPrefix, Key, Definitions}: an index's name is IndexPrefix
    and the day of `minute`, Key lists the columns of a document's id, Definitions is a folder of
    index_families/; Replicas, a number; RetentionDays, a number or `forever`.
    """
    return [
        definition for family in properties["IndexFamilies"] for definition in _of_family(family, properties)
    ]


def _of_family(family: Mapping[str, Any], properties: Mapping[str, Any]) -> list[Definition]:
    name, index_prefix, key = family["Name"], family["IndexPrefix"], family["Key"]
    folder = INDEX_FAMILIES / family["Definitions"]
    pattern = index_pattern(name)
    pipeline = _read(folder / "ingest_pipeline.json")
    [script, fingerprint] = pipeline["processors"]
    script["script"]["params"]["index_prefix"] = index_prefix
    fingerprint["fingerprint"]["fields"] = key

    template = _read(folder / "index_template.json")
    template["index_patterns"] = [pattern]
    index_settings = template["template"]["settings"]["index"]
    index_settings |= {"default_pipeline": name, "number_of_replicas": int(properties["Replicas"])}
    columns = template["template"]["mappings"]["properties"]
    columns |= {column: {"type": "keyword"} for column in key if column not in columns}

    # The pipeline first: once the template exists, indices need it.
    wanted = [
        Definition(f"/_ingest/pipeline/{name}", pipeline),
        Definition(f"/_index_template/{name}", template),
    ]
    policy: dict[str, Any] | None = None  # an earlier deployment's would catch new indices
    if properties["RetentionDays"] != KEPT_FOR_EVER:
        policy = _read(folder / "retention_policy.json")
        [kept, _] = policy["policy"]["states"]
        kept["transitions"][0]["conditions"]["min_index_age"] = f"{int(properties['RetentionDays'])}d"
        policy["policy"]["ism_template"][0]["index_patterns"] = [pattern]
    return [*wanted, Definition(f"{POLICIES}{retention_policy(name)}", policy)]


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
