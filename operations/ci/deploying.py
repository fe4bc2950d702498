"""Which stacks of an environment are being deployed: drift detection knows nothing about them meanwhile.

  python -m operations.ci.deploying --environment production [--since SECONDS]

Prints a line for each. --since, as `date +%s` says it: also those whose deployment began after that and is
over. Ends with 1 where CloudFormation does not say.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from names import STACKS
from settings import Settings, SettingsError, load

ONLY_PLANNED = "REVIEW_IN_PROGRESS"
"""Of a stack that a change set would make: nobody is deploying it, and it may stay so for months."""


def deploying(
    settings: Settings, client: Callable[[str], Any], since: datetime | None = None
) -> Iterator[str]:
    """A line a stack. client: of CloudFormation in a region. Raises botocore's errors."""
    for title in STACKS:
        name, region = settings.names.stack(title), settings.names.region_of(title)
        try:
            [stack] = client(region).describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":  # there is no such stack
                raise
            continue
        state = stack["StackStatus"]
        if state.endswith("_IN_PROGRESS") and state != ONLY_PLANNED:
            yield f"{name} ({region}) is {state}"
        elif since and (began := stack.get("LastUpdatedTime", stack["CreationTime"])) >= since:
            yield f"{name} ({region}) was deployed at {began.astimezone(UTC):%H:%M} UTC, and is {state}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--since", type=int)
    options = parser.parse_args(arguments)
    since = None if options.since is None else datetime.fromtimestamp(options.since, UTC)
    try:
        for line in deploying(
            load(options.environment), lambda region: boto3.client("cloudformation", region), since
        ):
            print(line)
    except (SettingsError, BotoCoreError, ClientError) as error:
        print(f"Whether something is being deployed is not known: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
