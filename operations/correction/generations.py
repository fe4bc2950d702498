"""Which generation of the counts serves which day, and the one request that changes it.

Readers search an alias. Of each day it names the index of one generation, so a day's counts are there once.
All days are switched by one request to `_aliases`, which OpenSearch applies as one change of the cluster's
state: a search sees all of it or nothing (tests/lambdas/search_bootstrap/test_alias.py). Whatever is done
before it, or fails there, shows readers nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from names import (
    counts_alias,
    delivery_index,
    generation_family,
    generation_patterns,
    index_pattern,
    index_prefix,
)
from operations.operator import OperatorError, RefusedError
from operations.replay.domain import CountsDomain, indices
from operations.replay.served import parts_of


@dataclass(frozen=True, kw_only=True)
class Switched:
    """days: such as 2026.01.31, each with the generation that served it and the one that serves it now; live:
    whether days to come were switched too."""

    days: Mapping[str, tuple[int | None, int]]
    live: bool

    def __str__(self) -> str:
        if not self.days:
            return "no day was switched"
        lines = [
            f"{day}: generation {'-' if former is None else former} -> {now}"
            for day, (former, now) in sorted(self.days.items())
        ]
        return "\n".join([*lines, *(["days to come: the same"] if self.live else [])])


class Generations:
    """Of one index family: that of a sink."""

    def __init__(self, domain: CountsDomain, family: str) -> None:
        self._domain = domain
        self._family = family
        self._alias = counts_alias(family)

    def served(self) -> dict[str, int]:
        """Day -> generation. Raises OperatorError if a day has two, which no switch leaves behind."""
        found: dict[str, int] = {}
        for index in self._domain.ask("GET", f"/_alias/{self._alias}"):
            generation, day = parts_of(index, self._family)
            if day in found:
                raise OperatorError(
                    f"{self._alias} names two indices of {day}: take the alias from the wrong one by hand"
                )
            found[day] = generation
        return found

    def made(self) -> dict[str, set[int]]:
        """Day -> generations that have an index of it, served or not."""
        found: dict[str, set[int]] = {}
        for pattern in generation_patterns(self._family):
            for index in indices(self._domain, pattern):
                generation, day = parts_of(index, self._family)
                if index == delivery_index(generation_family(self._family, generation)):
                    continue  # of no day, and empty (lambdas/search_bootstrap/definitions.py)
                found.setdefault(day, set()).add(generation)
        return found

    def index(self, generation: int, day: str) -> str:
        return index_prefix(generation_family(self._family, generation)) + day

    def switch(self, days: Iterable[str], generation: int, *, live: bool) -> Switched:
        """Let `generation` serve these days. live: and each day that is yet to come.

        An index is made for a day that the generation does not have, but another one serves: otherwise its
        first count would be served beside the other's.
        """
        served, made = self.served(), self.made()
        for day in days:
            if generation not in made.get(day, set()) and day in served:
                self._domain.ask("PUT", f"/{self.index(generation, day)}")
                made.setdefault(day, set()).add(generation)
        wanted = {day: generation for day in days if generation in made.get(day, set())}
        if live:
            self._serve_new_days(generation)
        return Switched(days=self._alias_to(wanted, served), live=live)

    def undo(self, generation: int, *, counted_into: int) -> Switched:
        """Let the newest generation before `generation` serve its days again; a day that only it has stays.

        counted_into: by the application. If that is a former one, it serves the days to come too.
        """
        served, made = self.served(), self.made()
        wanted = {
            day: max(former)
            for day, serving in served.items()
            if serving == generation
            and (former := {other for other in made.get(day, set()) if other < generation})
        }
        if not wanted:
            raise RefusedError(
                f"nothing to undo: generation {generation} serves no day that a former generation still has"
            )
        if counted_into < generation:
            self._serve_new_days(counted_into)
        return Switched(days=self._alias_to(wanted, served), live=counted_into < generation)

    def delete_old(self, generation: int) -> list[str]:
        """Delete the former generations of the days that `generation` serves. Returns their indices."""
        served, made = self.served(), self.made()
        old = [
            self.index(other, day)
            for day, serving in sorted(served.items())
            if serving == generation
            for other in sorted(made.get(day, set()))
            if other < generation
        ]
        if not old:
            raise RefusedError(f"nothing to delete: no day of generation {generation} has a former one")
        for index in old:
            self._domain.ask("DELETE", f"/{index}")
        return old

    def served_pattern(self) -> str:
        """Of the indices that get the alias when they are made."""
        return str(self._template()["index_patterns"][0])

    def _serve_new_days(self, generation: int) -> None:
        pattern = index_pattern(generation_family(self._family, generation))
        body = {**self._template(), "index_patterns": [pattern]}
        self._domain.ask("PUT", f"/_index_template/{self._family}", body)

    def _template(self) -> dict[str, Any]:
        found = self._domain.ask("GET", f"/_index_template/{self._family}").get("index_templates")
        if not found or counts_alias(self._family) not in found[0]["index_template"]["template"].get(
            "aliases", {}
        ):
            raise OperatorError(
                f"the domain has no index template {self._family} with the alias {self._alias}: deploy first"
            )
        template: dict[str, Any] = found[0]["index_template"]
        return template

    def _alias_to(
        self, wanted: Mapping[str, int], served: Mapping[str, int]
    ) -> dict[str, tuple[int | None, int]]:
        changed = {day: generation for day, generation in wanted.items() if served.get(day) != generation}
        actions = [
            {"add": {"index": self.index(generation, day), "alias": self._alias}}
            for day, generation in changed.items()
        ] + [
            {"remove": {"index": self.index(served[day], day), "alias": self._alias}}
            for day in changed
            if day in served
        ]
        if actions:
            self._domain.ask("POST", "/_aliases", {"actions": actions})
        return {day: (served.get(day), generation) for day, generation in changed.items()}
