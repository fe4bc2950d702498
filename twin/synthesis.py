"""The templates of an environment, made by the program that the CDK command line runs.

It is a separate process, because the CDK's Node leaves files behind when Ctrl-C reaches it. Here Ctrl-C
reaches only the twin, which ends its processes and owns the folder of the temporary files.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from twin.processes import ChildProcess, TwinError, wait_for

TIMEOUT_SECONDS = 180
PROJECT = Path(__file__).parent.parent


class Synthesis:
    """A synthesis in progress, into a new folder of `work`. project: the tree to synthesise."""

    def __init__(self, environment: str, work: Path, project: Path = PROJECT) -> None:
        self._assembly = Path(tempfile.mkdtemp(prefix="cdk.out-", dir=work))
        self._process = ChildProcess(
            "synthesis of the templates",
            [sys.executable, str(project / "app.py")],
            log=work / "synthesis.log",
            cwd=project,
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
