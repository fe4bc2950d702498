"""Deploys a synthesised cloud assembly into the emulated AWS, first or again: assets to S3, then the stacks.

Does what the CDK command line would, without its 5 s of start-up per stack: the assembly's manifest names
each stack's template, region, dependencies and asset manifest (https://docs.aws.amazon.com/cdk, "cloud
assembly").
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cloudformation import AssemblyError, Stack, read_stacks
from twin.emulator import Emulator
from twin.processes import TwinError, wait_for

STACK_TIMEOUT_SECONDS = 600
POLL_SECONDS = 0.5
BOOTSTRAP_VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
_SETTLED = ("_COMPLETE", "_FAILED")


def deploy(assembly: Path, emulator: Emulator, check: Callable[[], None]) -> list[str]:
    """Create every stack of the assembly, or update those that are there, and return their names.

    Raises TwinError with the failed resources, or with what is wrong with the assembly.

    check: called while waiting for a stack; its error ends the wait.
    """
    try:
        stacks = read_stacks(assembly)
    except AssemblyError as error:
        raise TwinError(str(error)) from error
    for region in sorted({stack.region for stack in stacks}):
        emulator.client("ssm", region).put_parameter(
            Name=BOOTSTRAP_VERSION_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
        )
    for stack in stacks:
        _upload_assets(assembly, stack, emulator)
        _apply(stack, emulator, check)
    return [stack.name for stack in stacks]


def _upload_assets(assembly: Path, stack: Stack, emulator: Emulator) -> None:
    s3 = emulator.client("s3", stack.region)
    assets = [asset for manifest in stack.asset_manifests for asset in manifest["files"].values()]
    for asset in assets:
        source = assembly / asset["source"]["path"]
        content = _zipped(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
        for destination in asset["destinations"].values():
            _ensure_bucket(s3, destination["bucketName"], stack.region)
            s3.put_object(Bucket=destination["bucketName"], Key=destination["objectKey"], Body=content)


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    try:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _apply(stack: Stack, emulator: Emulator, check: Callable[[], None]) -> None:
    cloudformation = emulator.client("cloudformation", stack.region)
    bucket_and_key = stack.artifact["stackTemplateAssetObjectUrl"].removeprefix("s3://")
    wanted = {
        "StackName": stack.name,
        "TemplateURL": f"{emulator.endpoint}/{bucket_and_key}",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    known = cloudformation.describe_stacks()["Stacks"]
    done = "UPDATE_COMPLETE" if stack.name in {each["StackName"] for each in known} else "CREATE_COMPLETE"
    if done == "CREATE_COMPLETE":
        cloudformation.create_stack(**wanted)
    else:
        try:
            cloudformation.update_stack(**wanted)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise

    def status() -> str:
        return str(cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"])

    def settled() -> bool:
        check()
        return status().endswith(_SETTLED)

    wait_for(
        settled,
        what=f"stack {stack.name}",
        timeout_seconds=STACK_TIMEOUT_SECONDS,
        poll_seconds=POLL_SECONDS,
        seen=lambda: f"it is {status()}, awaiting {_in_progress(cloudformation, stack.name)}",
    )
    if status() != done:
        raise TwinError(f"stack {stack.name} ended as {status()}:\n{_failures(cloudformation, stack.name)}")


def _in_progress(cloudformation: Any, stack_name: str) -> str:
    resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    waiting = [r["LogicalResourceId"] for r in resources if r["ResourceStatus"].endswith("IN_PROGRESS")]
    return ", ".join(waiting) or "nothing that it names"


def _failures(cloudformation: Any, stack_name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
    return "\n".join(
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason')}"
        for event in reversed(failed)
    )
