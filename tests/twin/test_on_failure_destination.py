"""Lambda's check of a role before it creates an event source mapping, in the emulated AWS."""

import json
from typing import Any

import pytest

from names import TOKYO
from tests.lambdas.forwarder.synthesis import NAMES, synthesised
from twin.emulator import Emulator
from twin.on_failure_destination import check_on_failure_destination
from twin.processes import TwinError

BUCKET = f"arn:aws:s3:::{NAMES.dead_letter_bucket}"
MAPPING = {"DestinationConfig": {"OnFailure": {"Destination": BUCKET}}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def role(emulator: Emulator, name: str, statements: list[dict[str, Any]]) -> str:
    iam = emulator.client("iam", TOKYO)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="Rights", PolicyDocument=json.dumps(policy))
    return arn


def test_the_templates_role_gets_its_mapping(emulator: Emulator) -> None:
    template = synthesised({"source-stream": NAMES.source_stream_arn})
    (deployed,) = template.find_resources("AWS::IAM::Role").values()
    statements = deployed["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    arn = role(emulator, "of-the-template", statements)
    check_on_failure_destination(emulator, MAPPING, role_arn=arn)


@pytest.mark.parametrize(
    ("name", "put_below", "refused"),
    [("narrow", f"{BUCKET}/aws/lambda/*", "call PutObject on S3"), ("unlisted", f"{BUCKET}/*", "ListBucket")],
)
def test_a_role_without_the_checked_permission_is_refused_in_lambdas_words(
    emulator: Emulator, name: str, put_below: str, refused: str
) -> None:
    statements = [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": put_below}]
    arn = role(emulator, name, statements)
    with pytest.raises(
        TwinError, match="The function execution role does not have permissions to.*" + refused
    ):
        check_on_failure_destination(emulator, MAPPING, role_arn=arn)


def test_a_mapping_with_another_destination_is_not_checked(emulator: Emulator) -> None:
    check_on_failure_destination(emulator, {}, role_arn="arn:aws:iam::000000000000:role/nobody")
