"""The templates of an environment, made by the program that the CDK command line runs.

It is a separate process, because the CDK's Node leaves files behind when Ctrl-C reaches it. Here Ctrl-C
reaches only the twin, which ends its processes and owns the folder of the temporary files.
"""

import json
import os
import sys
from pathlib import Path

from twin.processes import ChildProcess, TwinError, wait_for

TIMEOUT_SECONDS = 180
_PROJECT = Path(__file__).parent.parent


class Synthesis:
    """A synthesis in progress into `work`/cdk.out."""

    def __init__(self, environment: str, work: Path) -> None:
        self._assembly = work / "cdk.out"
        self._process = ChildProcess(
            "synthesis of the templates",
            [sys.executable, str(_PROJECT / "app.py")],
            log=work / "synthesis.log",
            cwd=_PROJECT,
            env={
                **os.environ,
                "TMPDIR": str(work),
                "CDK_OUTDIR": str(self._assembly),
                "CDK_CONTEXT_JSON": json.dumps({"environment": environment}),
            },
        )

    def assembly(self) -> Path:
        """The folder of the finished cloud assembly. Raises TwinError with the program's errors."""
        wait_for(lambda: not self._process.running, what=self._process.name, timeout_seconds=TIMEOUT_SECONDS)
        if self._process.exit_code != 0:
            raise TwinError(f"cannot synthesise the templates: {self._process.last_errors()}")
        return self._assembly

    def stop(self) -> None:
        self._process.stop()
