"""What the figures were measured on: the machine, its other load, and the versions."""

import os
import platform
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import find_java
from bench.subprocesses import BenchmarkError
from twin.opensearch import VERSION as OPENSEARCH_VERSION

SPARK_REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def machine() -> dict[str, Any]:
    """The machine and its versions, as of now."""
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": len(os.sched_getaffinity(0)),
        "processor": _first(r"model name\s*: (.+)", Path("/proc/cpuinfo")),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3),
        "versions": versions(),
    }


@dataclass(frozen=True)
class ProcessorTimes:
    """CPU seconds so far, of all cores. busy: of the machine; own: of this process and the children it waited
    for."""

    at: float
    busy: float
    own: float

    @classmethod
    def now(cls) -> "ProcessorTimes":
        """Raises BenchmarkError without /proc."""
        try:
            fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
        except OSError as error:
            raise BenchmarkError(f"the machine's load can't be read: {error}; mount /proc") from None
        user, nice, system, _, _, irq, softirq, steal = map(int, fields[1:9])
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        own = sum(
            used.ru_utime + used.ru_stime
            for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )
        return cls(time.monotonic(), busy, own)

    def other_cores_until(self, end: "ProcessorTimes") -> float:
        """Mean number of cores that other work used, including what a hypervisor gave to others."""
        others = (end.busy - self.busy) - (end.own - self.own)
        return max(0.0, others / max(end.at - self.at, 0.01))


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
    """Version of the Java that Flink runs on."""
    find_java()
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    found = re.search(r'version "([^"]+)"', done.stderr)
    return found[1] if found else "unknown"


def _first(pattern: str, file: Path) -> str:
    try:
        found = re.search(pattern, file.read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1].strip() if found else "unknown"
