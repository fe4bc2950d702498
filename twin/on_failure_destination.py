"""Lambda's check of an event source mapping with an S3 on-failure destination, which MiniStack does not make.

AWS checks when the mapping is created, the twin when it starts to work:
docs/decisions/on-failure-grant-is-the-whole-bucket.md.
"""

from collections.abc import Mapping
from typing import Any

from names import TOKYO
from twin.emulator import Emulator
from twin.processes import TwinError

_S3 = "arn:aws:s3:::"


def check_on_failure_destination(emulator: Emulator, mapping: Mapping[str, Any], *, role_arn: str) -> None:
    """Raise TwinError, with Lambda's own sentence, if the role may not put every key of the bucket."""
    destination = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if not destination.startswith(_S3):
        return
    for action, resource, name in (
        ("s3:PutObject", f"{destination}/*", "PutObject"),
        ("s3:ListBucket", destination, "ListBucket"),
    ):
        answer = emulator.client("iam", TOKYO).simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[resource]
        )
        if answer["EvaluationResults"][0]["EvalDecision"] != "allowed":
            raise TwinError(
                f"The function execution role does not have permissions to call {name} on S3. "
                f"({role_arn} lacks {action} on {resource}: Lambda would refuse the event source mapping.)"
            )
