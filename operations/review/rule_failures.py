"""Keeps what a rule did not foresee on the page: the rest of the review goes on, and the failure is named."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from operations.review.differences import Differences
from operations.review.findings import Finding, Kind

Rules = Callable[[Differences], Iterable[Finding]]


def found(what: str, rules: Rules, changes: Differences) -> tuple[Finding, ...]:
    """What the rules on `what` find. Where they fail, each change is given to them alone, so that they fail
    at one of them only."""
    try:
        return tuple(rules(changes))
    except Exception:
        alone = [guarded(what, partial(rules, part)) for part in _parts(changes)]
        return tuple(dict.fromkeys(finding for findings in alone for finding in findings))


def guarded(what: str, rules: Callable[[], Iterable[Finding]]) -> tuple[Finding, ...]:
    try:
        return tuple(rules())
    except Exception as error:
        return (failed(what, error),)


def failed(what: str, error: Exception) -> Finding:
    return Finding(
        kind=Kind.NOT_UNDERSTOOD,
        text=f"**The rules on {what} failed at something unforeseen**, so what they would say is "
        f"missing here ({type(error).__name__}: {error}).",
    )


def _parts(changes: Differences) -> Iterator[Differences]:
    nothing = replace(changes, resources=(), assets=(), others=(), added_stacks=(), removed_stacks=())
    for resource in changes.resources:
        yield replace(nothing, resources=(resource,))
    for asset in changes.assets:
        yield replace(nothing, assets=(asset,))
    for other in changes.others:
        yield replace(nothing, others=(other,))
    yield replace(nothing, added_stacks=changes.added_stacks, removed_stacks=changes.removed_stacks)
