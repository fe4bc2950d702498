"""A Lambda function as all of ours are: its own role with the permissions it is given, its own log group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from settings import LogDays
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.log_group import NamedLogGroup, events_arn


@dataclass(frozen=True, kw_only=True)
class FunctionDefaults:
    """What the functions of an environment have in common. log_days: for which their logs are kept."""

    architecture: Literal["arm64", "x86_64"]
    log_days: LogDays


class ServiceFunction(Construct):
    """name: of the function and of its role; package: its zip, with `handler.handler`; statements: what it
    may do besides writing its own log; storage_mib: of /tmp, Lambda's smallest by default."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        package: Path,
        statements: Sequence[iam.PolicyStatement],
        environment: Mapping[str, str],
        memory_mib: int,
        timeout: Duration,
        defaults: FunctionDefaults,
        storage_mib: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group_name = f"/aws/lambda/{name}"
        stack = Stack.of(self)
        log_events = events_arn(log_group_name, region=stack.region, account=stack.account)
        writes_its_log = iam.PolicyStatement(
            sid="WritesItsLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_events]
        )
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Rights": iam.PolicyDocument(statements=[*statements, writes_its_log])},
        )
        acknowledge_wildcards(
            self.role,
            [log_events],
            reason="Lambda names its log streams itself; the log group is the function's own.",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64
            if defaults.architecture == "arm64"
            else lambda_.Architecture.X86_64,
            code=lambda_.Code.from_asset(str(package)),
            handler="handler.handler",
            role=self.role,
            environment=dict(environment),
            memory_size=memory_mib,
            ephemeral_storage_size=Size.mebibytes(storage_mib) if storage_mib else None,
            timeout=timeout,
            log_group=NamedLogGroup(self, "Logs", name=log_group_name, days=defaults.log_days),
        )
