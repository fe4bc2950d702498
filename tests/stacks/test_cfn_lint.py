"""The templates as CloudFormation of both regions would read them."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    files = sorted(map(str, assembly.glob("*.template.json")))
    outcome = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), *files],
        cwd=PROJECT,  # its settings stand in .cfnlintrc.yaml
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")
    assert len(files) == 4
