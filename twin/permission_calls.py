"""Records which statements of a role's policies allowed its calls in the emulated AWS, which decides on each
by action, resource, region and conditions.

With PERMISSION_CALLS set to a file, each emulator appends to it. `python -m operations.permissions FILE`
makes the record of them that the policies are tested with.
"""

import json
import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

CALLS_FILE = "PERMISSION_CALLS"
"""Environment variable: path of the file that the calls are appended to."""
TEST_FILE = "PERMISSION_CALLS_TEST"
"""Environment variable: path of the file that holds the id of the test that runs."""
NEEDED_OF_IAM_EVALUATOR = (
    "evaluate",
    "evaluate_resource_policy",
    "_action_matches",
    "_resource_matches",
    "_conditions_met",
    "_resolve_condition_key",
)
_SESSION = re.compile(r"arn:aws:sts::\d{12}:assumed-role/([^/]+)/.+")


@dataclass(frozen=True, kw_only=True)
class AllowedCall:
    """role: its name; resource: an ARN; keys: values of the condition keys that its policies name;
    statements: the keys of those that each allowed it, see `statement_key`; test: that ran at the time."""

    role: str
    action: str
    resource: str
    region: str
    keys: tuple[tuple[str, str], ...] = ()
    statements: tuple[str, ...]
    test: str = field(default="", compare=False)


def statement_key(sid: str, actions: list[str]) -> str:
    """Of a statement within its role: its Sid, or its actions where it has none."""
    return sid or " ".join(sorted(actions))


def record_to_file(iam_evaluator: ModuleType) -> None:
    """Record if the environment names a file. iam_evaluator: ministack.core.iam_evaluator."""
    if path := os.environ.get(CALLS_FILE):
        record(iam_evaluator, _appended_to(Path(path)))


def _appended_to(file: Path) -> Callable[[AllowedCall], None]:
    def append(call: AllowedCall) -> None:
        with file.open("a", encoding="utf-8") as lines:  # one write a line: several emulators append
            lines.write(json.dumps(asdict(call)) + "\n")

    return append


def running_test() -> str:
    """The id of the test that runs; empty where none does."""
    path = os.environ.get(TEST_FILE)
    return Path(path).read_text(encoding="utf-8") if path and Path(path).is_file() else ""


def record(iam_evaluator: ModuleType, tell: Callable[[AllowedCall], None]) -> None:
    """tell: is given a call that a statement of its role's own policies allowed, once for each action, region
    and patterns of resources that it matched."""
    evaluate, of_resource = iam_evaluator.evaluate, iam_evaluator.evaluate_resource_policy
    told: set[tuple[object, ...]] = set()
    lock = Lock()
    in_resource_policy = ContextVar("in_resource_policy", default=False)

    def recorded(context: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(context, policies, *limits)
        session = _SESSION.fullmatch(context.principal_arn)
        if result.decision == "Allow" and session and not in_resource_policy.get():
            allowing = _allowing(iam_evaluator, context, policies)
            same = (session[1], context.action, context.region, frozenset(allowing))
            with lock:
                new = same not in told
                told.add(same)
            if new:
                tell(_call(iam_evaluator, session[1], context, policies, allowing))
        return result

    def unrecorded(*arguments: Any, **options: Any) -> Any:
        """A bucket's or a queue's policy comes to the same function, and is not the role's."""
        token = in_resource_policy.set(True)
        try:
            return of_resource(*arguments, **options)
        finally:
            in_resource_policy.reset(token)

    iam_evaluator.evaluate = recorded  # type: ignore[attr-defined]
    iam_evaluator.evaluate_resource_policy = unrecorded  # type: ignore[attr-defined]


def _call(
    iam_evaluator: ModuleType, role: str, context: Any, policies: Any, allowing: set[tuple[str, str]]
) -> AllowedCall:
    named = {
        key
        for statements in policies
        for each in statements
        for values in each.conditions.values()
        for key in values
    }
    resolved = {key: iam_evaluator._resolve_condition_key(key, context) for key in named}
    return AllowedCall(
        role=role,
        action=context.action,
        resource=context.resource_arn,
        region=context.region,
        keys=tuple(sorted((key.lower(), value) for key, value in resolved.items() if isinstance(value, str))),
        statements=tuple(sorted({key for key, _ in allowing})),
        test=running_test(),
    )


def _allowing(iam_evaluator: ModuleType, context: Any, policies: Any) -> set[tuple[str, str]]:
    """The key of each statement that allows the call, with each pattern of it that the resource matches."""
    return {
        (statement_key(each.sid, each.actions), pattern)
        for statements in policies
        for each in statements
        if each.effect == "Allow"
        and iam_evaluator._action_matches(context.action, each.actions, each.not_actions)
        and iam_evaluator._conditions_met(each.conditions, context)
        for pattern in each.resources
        if iam_evaluator._resource_matches(context.resource_arn, [pattern], [])
    }
