"""What the figures were measured on: the machine, its other work, and the versions."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import find_java
from twin.opensearch import VERSION as OPENSEARCH_VERSION

SPARK_REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def machine() -> dict[str, Any]:
    """Of now; other_load: processes that wanted a core in the last minute, before this benchmark began."""
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": os.cpu_count(),
        "processor": _first(r"model name\s*: (.+)", Path("/proc/cpuinfo")),
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", Path("/proc/meminfo"))) / 1024**2),
        "other_load": round(os.getloadavg()[0], 1),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    return {
        "Linux": platform.release().partition("-")[0],
        "Python": platform.python_version(),
        "Java": _java_version(),
        "Flink": version("apache-flink"),
        "Spark": _first(r"pyspark==(\S+)", SPARK_REQUIREMENTS),
        "DuckDB": version("duckdb"),
        "OpenSearch": OPENSEARCH_VERSION,
    }


def _java_version() -> str:
    """Of the Java that Flink runs on."""
    find_java()
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    found = re.search(r'version "([^"]+)"', done.stderr)
    return found[1] if found else "unknown"


def _first(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"))
    return found[1].strip() if found else "unknown"
