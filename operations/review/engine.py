"""Asks the CDK's engine (engine.cjs, on Node) what CloudFormation would do with each changed resource."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.review.errors import ReviewError

SCRIPT = Path(__file__).with_name("engine.cjs")

Template = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EngineAnswer:
    """impact: WILL_REPLACE, MAY_REPLACE, WILL_UPDATE, WILL_CREATE, WILL_DESTROY, WILL_ORPHAN, or UNKNOWN
    where the engine cannot read the resource; properties: the same for each changed property, None where the
    engine does not know the property.
    """

    impact: str
    properties: Mapping[str, str | None]


def impacts(pairs: Mapping[str, tuple[Template, Template]]) -> dict[str, dict[str, EngineAnswer]]:
    """Stack -> logical id -> answer, of resources that differ. pairs: stack -> (old, new template).

    Raises ReviewError when Node or the package is missing.
    """
    question = json.dumps({stack: {"old": old, "new": new} for stack, (old, new) in pairs.items()})
    return {
        stack: {
            logical_id: _corrected(
                EngineAnswer(impact=found["impact"], properties=found["properties"]),
                pairs[stack][1].get("Resources", {}).get(logical_id),
            )
            for logical_id, found in resources.items()
        }
        for stack, resources in json.loads(answer(f"{question}\n")).items()
    }


def answer(line: str) -> str:
    """Of an engine that is started for this line. Raises ReviewError."""
    try:
        outcome = subprocess.run(
            ["node", str(SCRIPT)], input=line, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise ReviewError("node is not on the PATH: run `make setup`, then `make review`") from None
    if outcome.returncode:
        raise ReviewError(
            f"{SCRIPT.name} failed; if it says that a module cannot be found, run `make "
            f"setup`:\n{outcome.stderr}"
        )
    return outcome.stdout


def _corrected(answer: EngineAnswer, new: Any) -> EngineAnswer:
    """The engine's answer, but where AWS's own pages say otherwise."""
    kind = new.get("Type") if isinstance(new, Mapping) else None
    properties = dict(answer.properties)
    if kind == "AWS::KinesisAnalyticsV2::Application" and "RuntimeEnvironment" in properties:
        # Managed Service for Apache Flink developer guide, "Upgrade your application to a new Apache Flink
        # version": CloudFormation updates it in place, and no longer makes the application anew.
        properties["RuntimeEnvironment"] = "WILL_UPDATE"
    if kind == "AWS::OpenSearchService::Domain" and "EngineVersion" in properties:
        # https://repost.aws/knowledge-center/cloudformation-opensearch-upgrade: in place only if
        # EnableVersionUpgrade is true.
        policy = new.get("UpdatePolicy")
        upgraded = isinstance(policy, Mapping) and policy.get("EnableVersionUpgrade") in (True, "true")
        properties["EngineVersion"] = "WILL_UPDATE" if upgraded else "WILL_REPLACE"
    if properties == answer.properties:
        return answer
    worst = [impact for impact in ("WILL_REPLACE", "MAY_REPLACE") if impact in properties.values()]
    return EngineAnswer(impact=worst[0] if worst else "WILL_UPDATE", properties=properties)
