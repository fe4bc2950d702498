"""What a shell sources to ask a running twin: `click-trends` with the batch server's role, `aws` as the
account's root, and the runbook's variables."""

import os
import shlex
from pathlib import Path

from names import OREGON, TOKYO, Names
from twin.emulator import Emulator

TIME_ZONE = "Asia/Tokyo"  # where the readers click
NOT_OURS = "us-east-1"
"""With an endpoint of its own the SDK wants a region even for IAM, which takes none on AWS. Here this one has
nothing, so a command that forgets its `--region` fails here too."""
THIS_TWIN = "CLICK_TRENDS_TWIN"
"""Names the twin to `make drill` and `make start`, where several run."""
_PROJECT = Path(__file__).parents[1]
COMMANDS = (_PROJECT / ".venv" / "bin", _PROJECT / ".cache" / "aws-cli" / "bin")
"""`click-trends`, and the AWS command line once `make drill` has brought it."""


def environment_file(emulator: Emulator, names: Names, work: Path) -> str:
    """The text of the file. work: the twin's working folder."""
    variables = {
        THIS_TWIN: str(work),
        **emulator.client_environment(),
        "AWS_DEFAULT_REGION": NOT_OURS,
        "CLICK_TRENDS_ENDPOINT": emulator.search_endpoint,
        "CLICK_TRENDS_ENVIRONMENT": names.environment,
        "CLICK_TRENDS_ROLE_ARN": names.role_arn(names.batch_server_role),
        "CLICK_TRENDS_TABLE": names.trending_table,
        "CLICK_TRENDS_TIME_ZONE": TIME_ZONE,
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    # For the shell alone: an exported ENV is a file that another shell would read.
    lines.append(f"ENV={names.environment} ACCOUNT={names.account} TOKYO={TOKYO} OREGON={OREGON}")
    # The shell's own commands stay first.
    lines.append(f'export PATH="$PATH":{shlex.quote(os.pathsep.join(map(str, COMMANDS)))}')
    lines.append(f'aws() {{ bash {shlex.quote(str(_PROJECT / "twin" / "aws.sh"))} "$@"; }}')
    return "\n".join([*lines, ""])
