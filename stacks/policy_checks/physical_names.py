"""Every physical name comes from names.py, so that both regions and all programs mean the same thing."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contract.sink import SINKS
from names import OPERATOR_COMMANDS, Names
from stacks.policy_checks.assembly import CheckedAssembly, CheckedResource
from stacks.policy_checks.rule import PolicyCheck, Violation

ALARM = "AWS::CloudWatch::Alarm"
LOG_GROUP = "AWS::Logs::LogGroup"

NOT_PHYSICAL = {"DisplayName", "MetricName", "LogStreamName", "PolicyName"}
"""Properties that end in Name and name nothing that another part could ask for."""


_ELSEWHERE = {"Ref", "Fn::GetAtt", "Fn::ImportValue"}


def rule(names: Names) -> PolicyCheck:
    known = known_names(names)

    def check(assembly: CheckedAssembly) -> Iterator[Violation]:
        for resource in assembly.resources:
            for key, value in _written_names(resource):
                if not _is_known(resource, value, known):
                    shown = value if isinstance(value, str) else "composed in the template"
                    yield Violation(on=resource, detail=f"{key}::{shown}")

    return PolicyCheck(
        id="PhysicalName",
        says="A physical name stands outside the names module",
        advice="Add the name to names.py and take it from `settings.names`; a log group is named "
        "/aws/<service>/<name>, an alarm <name>-<metric>. Or leave the name to CloudFormation.",
        check=check,
    )


def known_names(names: Names) -> frozenset[str]:
    """Every name that `names` knows; those of sinks are asked for each sink, those of commands likewise."""
    asked_for = {"sink": tuple(sink.name for sink in SINKS), "command": OPERATOR_COMMANDS}
    found = set()
    for attribute, member in inspect.getmembers(Names):
        if attribute.startswith("_") or attribute == "prefix":
            continue
        if isinstance(member, property):
            found.add(str(getattr(names, attribute)))
        elif inspect.isfunction(member):
            _, *asked = inspect.signature(member).parameters
            for each in asked_for.get(asked[0], ()) if len(asked) == 1 else ():
                found.add(str(getattr(names, attribute)(each)))
    return frozenset(found)


def _written_names(resource: CheckedResource) -> Iterator[tuple[str, str | Mapping[str, Any]]]:
    """Names that the template writes out or composes. A bare Ref or GetAtt stands elsewhere."""
    for key, value in resource.properties.items():
        if not key.endswith("Name") or key in NOT_PHYSICAL:
            continue
        if isinstance(value, str) or (isinstance(value, dict) and not _ELSEWHERE & value.keys()):
            yield key, value


def _is_known(resource: CheckedResource, value: str | Mapping[str, Any], known: frozenset[str]) -> bool:
    if not isinstance(value, str):
        return False
    if resource.type == LOG_GROUP:
        match = re.fullmatch(r"/aws/[a-z-]+/(.+)", value)
        return bool(match) and match[1] in known  # type: ignore[index]
    if resource.type == ALARM:
        return any(value.startswith(f"{name}-") for name in known)
    return value in known
