"""The resource's properties, under the names that the infrastructure uses too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENDPOINT = "Endpoint"
INDEX_FAMILIES = "IndexFamilies"
NAME = "Name"
INDEX_PATTERN = "IndexPattern"
KEY = "Key"
REPLICAS = "Replicas"
RETENTION_DAYS = "RetentionDays"
KEPT_FOR_EVER = "forever"


@dataclass(frozen=True, kw_only=True)
class IndexFamily:
    """index_pattern: of the generation that is counted into; key: the columns of a document's id."""

    name: str
    index_pattern: str
    key: list[str]


@dataclass(frozen=True, kw_only=True)
class DefinitionsConfiguration:
    """retention_days: None keeps indices forever."""

    families: tuple[IndexFamily, ...]
    replicas: int
    retention_days: int | None

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> "DefinitionsConfiguration":
        days = properties[RETENTION_DAYS]
        return cls(
            families=tuple(
                IndexFamily(name=family[NAME], index_pattern=family[INDEX_PATTERN], key=family[KEY])
                for family in properties[INDEX_FAMILIES]
            ),
            replicas=int(properties[REPLICAS]),
            retention_days=None if days == KEPT_FOR_EVER else int(days),
        )
