"""The search domain's definitions for each index family: ingest pipeline, index templates, retention policy.

Readers search an alias. One template gives it, to indices of the generation that serves; the other makes the
indices of every other generation. A third refuses what reaches the index that Firehose names. The request
brings the families, their key columns and the environment's settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.search_bootstrap.configuration import DefinitionsConfiguration, IndexFamily
from names import (
    counts_alias,
    delivery_index,
    generation_patterns,
    retention_policy,
    undated_template,
    unserved_template,
)

POLICIES = "/_plugins/_ism/policies/"
TEMPLATES = "/_index_template/"

REFRESH_INTERVAL = "1s"
UNSERVED_PRIORITY = 100
"""Of our templates, above any that matches every index."""
SERVED_PRIORITY = 200
UNDATED_PRIORITY = 300
POLICY_PRIORITY = 100
COLUMN_TYPES = {"minute": "date", "clicks": "long", "published_at": "date"}
"""Of the columns that every count has; any other column of a key is a keyword."""

SET_INDEX_AND_VERSION = (
    "ZonedDateTime minute = ZonedDateTime.parse(ctx.minute).withZoneSameInstant(ZoneOffset.UTC); "
    "ctx.minute = minute.format(DateTimeFormatter.ofPattern(params.minute_format)); "
    "int dot = ctx._index.indexOf('.'); "
    "String family = dot < 0 ? ctx._index : ctx._index.substring(0, dot); "
    "def generation = ctx.remove('generation'); "
    "if (generation != null) { "
    "int line = family.indexOf('_'); "
    "family = line < 0 ? family : family.substring(0, line); "
    "if (((Number) generation).intValue() > 1) { family += '_' + ((Number) generation).intValue(); } "
    "} "
    "ctx._index = family + '.' + minute.format(DateTimeFormatter.ofPattern(params.day_format)); "
    "ctx._version = ((Number) ctx.clicks).longValue(); "
    "ctx._version_type = 'external_gte'"
)
"""Painless. The family of the index that the sender named, with the day behind it: one pipeline serves every
generation. A replay says in a field which generation it means (lambdas/replay/generations.py)."""
HASH_METHOD = "SHA-256@2.16.0"
ID_CHARACTERS = 24
"""Of the digest in URL-safe Base64, without padding. OpenSearch stores such an id as the bytes that it stands
for: 18, or 144 bits. Any other id needs a new generation, or a count published again stands twice."""
SHORTEN_ID = (
    "int digest = ctx._id.indexOf(':') + 1; "
    "ctx._id = ctx._id.substring(digest, digest + params.characters).replace('+', '-').replace('/', '_')"
)
"""Painless. The fingerprint processor writes its method, a colon and the digest in plain Base64."""


@dataclass(frozen=True)
class Definition:
    """A path of the domain and its content; None deletes what is there. serves: the family, of the template
    that gives the alias; a correction may have changed its patterns."""

    path: str
    body: dict[str, Any] | None
    serves: str | None = None


def definitions(properties: Mapping[str, Any]) -> list[Definition]:
    """The wanted definitions, in the order in which to put them. properties: configuration.py names them."""
    configuration = DefinitionsConfiguration.read(properties)
    return [
        definition for family in configuration.families for definition in _of_family(family, configuration)
    ]


def _of_family(family: IndexFamily, configuration: DefinitionsConfiguration) -> list[Definition]:
    name, key, days = family.name, family.key, configuration.retention_days
    template = index_template(name, key=key, replicas=configuration.replicas)
    unserved = {"priority": UNSERVED_PRIORITY, "index_patterns": [*generation_patterns(name)]}
    served = {"priority": SERVED_PRIORITY, "index_patterns": [family.index_pattern]}
    alias: dict[str, Any] = {"aliases": {counts_alias(name): {}}}
    # Without retention, an earlier deployment's policy would catch new indices.
    policy = None if days is None else deletion_after(days, index_family=name)
    # The pipeline first: once the template exists, indices need it. Then the template that serves: a release
    # without an alias left it at the other's priority, which two templates of one pattern may not share.
    return [
        Definition(f"/_ingest/pipeline/{name}", ingest_pipeline(key)),
        Definition(f"{TEMPLATES}{undated_template(name)}", undated_index(name, configuration.replicas)),
        Definition(f"{TEMPLATES}{name}", {**served, "template": {**alias, **template}}, serves=name),
        Definition(f"{TEMPLATES}{unserved_template(name)}", {**unserved, "template": template}),
        Definition(f"{POLICIES}{retention_policy(name)}", policy),
    ]


def ingest_pipeline(key: Sequence[str]) -> dict[str, Any]:
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
                    },
                }
            },
            {
                "fingerprint": {
                    "description": "The key as _id: a digest of names, lengths and values, which no two keys "
                    "share",
                    "hash_method": HASH_METHOD,
                    "target_field": "_id",
                    "fields": key,
                }
            },
            {
                "script": {
                    "description": "The first 144 bits of the digest, in letters that are stored as bytes",
                    "lang": "painless",
                    "source": SHORTEN_ID,
                    "params": {"characters": ID_CHARACTERS},
                }
            },
        ],
    }


def index_template(index_family: str, *, key: Sequence[str], replicas: int) -> dict[str, Any]:
    """Settings and mappings of an index."""
    keywords = {column: "keyword" for column in key if column not in COLUMN_TYPES}
    return {
        "settings": {
            "index": {
                "number_of_shards": 1,
                "refresh_interval": REFRESH_INTERVAL,
                "default_pipeline": index_family,
                "number_of_replicas": replicas,
                # _source is made from the columns when it is read, and is not stored.
                "derived_source": {"enabled": True},
            }
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {column: {"type": type_} for column, type_ in {**COLUMN_TYPES, **keywords}.items()},
        },
    }


def undated_index(index_family: str, replicas: int) -> dict[str, Any]:
    """Of the index that Firehose names, of any generation. It should never exist. But a cluster that starts
    as a whole looks for the pipeline before it has read its state, and makes this index once it has (3.6.0).
    What is written there is refused with 403, and so delivered again, by then to its day."""
    return {
        "priority": UNDATED_PRIORITY,
        "index_patterns": [delivery_index(index_family), delivery_index(f"{index_family}_*")],
        "template": {
            "settings": {
                "index": {
                    "number_of_shards": 1,
                    "number_of_replicas": replicas,
                    "default_pipeline": index_family,
                    "blocks": {"write": True},
                }
            }
        },
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
            "ism_template": [
                {"priority": POLICY_PRIORITY, "index_patterns": [*generation_patterns(index_family)]}
            ],
        }
    }
