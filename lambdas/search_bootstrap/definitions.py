"""The search domain's definitions for each index family: ingest pipeline, index template, retention policy.

The request brings the families, their key columns and the environment's settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.search_bootstrap.configuration import DefinitionsConfiguration, IndexFamily
from names import index_pattern, retention_policy

POLICIES = "/_plugins/_ism/policies/"

REFRESH_INTERVAL = "1s"
PRIORITY = 100
"""Of our templates, above any that matches every index."""
COLUMN_TYPES = {"minute": "date", "clicks": "long", "published_at": "date"}
"""Of the columns that every count has; any other column of a key is a keyword."""

SET_INDEX_AND_VERSION = (
    "ZonedDateTime minute = ZonedDateTime.parse(ctx.minute).withZoneSameInstant(ZoneOffset.UTC); "
    "ctx.minute = minute.format(DateTimeFormatter.ofPattern(params.minute_format)); "
    "ctx._index = params.index_prefix + minute.format(DateTimeFormatter.ofPattern(params.day_format)); "
    "ctx._version = ((Number) ctx.clicks).longValue(); "
    "ctx._version_type = 'external_gte'"
)
"""Painless."""


@dataclass(frozen=True)
class Definition:
    """A path of the domain and its content; None deletes what is there."""

    path: str
    body: dict[str, Any] | None


def definitions(properties: Mapping[str, Any]) -> list[Definition]:
    """The wanted definitions, in the order in which to put them. properties: configuration.py names them."""
    configuration = DefinitionsConfiguration.read(properties)
    return [
        definition for family in configuration.families for definition in _of_family(family, configuration)
    ]


def _of_family(family: IndexFamily, configuration: DefinitionsConfiguration) -> list[Definition]:
    name, key, days = family.name, family.key, configuration.retention_days
    template = index_template(name, key=key, replicas=configuration.replicas)
    # Without retention, an earlier deployment's policy would catch new indices.
    policy = None if days is None else deletion_after(days, index_family=name)
    # The pipeline first: once the template exists, indices need it.
    return [
        Definition(f"/_ingest/pipeline/{name}", ingest_pipeline(index_prefix=family.index_prefix, key=key)),
        Definition(f"/_index_template/{name}", template),
        Definition(f"{POLICIES}{retention_policy(name)}", policy),
    ]


def ingest_pipeline(*, index_prefix: str, key: Sequence[str]) -> dict[str, Any]:
    return {
        "description": "One document per count key, and the largest count wins: whatever is repeated, late "
        "or reordered.",
        "processors": [
            {
                "script": {
                    "description": "The key's minute in one form, the index of its day, and the count as the "
                    "version",
                    "lang": "painless",
                    "source": SET_INDEX_AND_VERSION,
                    "params": {
                        "minute_format": "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
                        "day_format": "yyyy.MM.dd",
                        "index_prefix": index_prefix,
                    },
                }
            },
            {
                "fingerprint": {
                    "description": "The key as _id: a digest of names, lengths and values, so no two keys "
                    "share one, and 512 bytes are enough",
                    "hash_method": "SHA-256@2.16.0",
                    "target_field": "_id",
                    "fields": key,
                }
            },
        ],
    }


def index_template(index_family: str, *, key: Sequence[str], replicas: int) -> dict[str, Any]:
    keywords = {column: "keyword" for column in key if column not in COLUMN_TYPES}
    return {
        "priority": PRIORITY,
        "template": {
            "settings": {
                "index": {
                    "number_of_shards": 1,
                    "refresh_interval": REFRESH_INTERVAL,
                    "default_pipeline": index_family,
                    "number_of_replicas": replicas,
                }
            },
            "mappings": {
                "dynamic": "strict",
                "properties": {
                    column: {"type": type_} for column, type_ in {**COLUMN_TYPES, **keywords}.items()
                },
            },
        },
        "index_patterns": [index_pattern(index_family)],
    }


def deletion_after(days: int, *, index_family: str) -> dict[str, Any]:
    """The retention policy: days since an index was created."""
    deleted = {"state_name": "deleted", "conditions": {"min_index_age": f"{days}d"}}
    return {
        "policy": {
            "description": "The index of a day is deleted some days after its creation.",
            "default_state": "kept",
            "states": [
                {"name": "kept", "actions": [], "transitions": [deleted]},
                {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [{"priority": PRIORITY, "index_patterns": [index_pattern(index_family)]}],
        }
    }
