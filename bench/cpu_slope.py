"""CPU seconds per million clicks of the SQL job, as the slope between a small and a large number of clicks.

python -m bench.cpu_slope [PROJECT ...] [--flink KEY=VALUE[,KEY=VALUE...] ...] [--small N] [--large N]
    [--users N] [--runs N]

PROJECT: folders of this project at other states, each with its connectors/target/analytics.jar. --flink:
Flink settings, such as table.exec.mini-batch.size=20000; each project runs as it is and with each of these.
All take turns, so that they meet the same load of the machine. bench/sections/counting.py says why a slope.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from rich.console import Console

from analytics_sql.bounded import NO_AGE_LIMIT_SECONDS, output_tables
from analytics_sql.local_flink import JAR, find_java
from bench.clicks import write_clicks, write_segments
from bench.usage import usage
from contract.click import MAX_CLOCK_AHEAD_SECONDS

HERE = Path(__file__).resolve().parent.parent
PARALLELISM = 2


def settings_of(text: str) -> dict[str, str]:
    """KEY=VALUE[,KEY=VALUE...] as Flink settings. Raises ArgumentTypeError for anything else."""
    pairs = [setting.partition("=") for setting in text.split(",")]
    if not all(key and value for key, _, value in pairs):
        raise argparse.ArgumentTypeError(f"{text!r}: write KEY=VALUE, and several with a comma between them")
    return {key: value for key, _, value in pairs}


def properties(
    project: Path, data: Path, checkpoints: Path, settings: Mapping[str, str]
) -> list[dict[str, object]]:
    """Application properties of a streaming run of `project` that ends with the files of `data`.

    settings: keys of Flink beside or in place of those of the benchmark.
    """
    groups = {
        "clicks": {"connector": "filesystem", "path": str(data / "clicks")},
        "segments": {"connector": "versioned-reference", "path": str(data / "segments")},
        **{table: {"connector": "blackhole"} for table in output_tables()},
        "checks": {
            "max-age-seconds": str(NO_AGE_LIMIT_SECONDS),
            "max-clock-ahead-seconds": str(MAX_CLOCK_AHEAD_SECONDS),
        },
        "flink": {
            "parallelism.default": str(PARALLELISM),
            "execution.checkpointing.interval": "5 s",
            "execution.checkpointing.dir": checkpoints.as_uri(),
            "state.backend.type": "rocksdb",
            "pipeline.jars": (project / JAR.relative_to(HERE)).as_uri(),
            **settings,
        },
    }
    return [{"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()]


def slope(project: Path, data: dict[int, Path], settings: Mapping[str, str]) -> float:
    """CPU seconds per million clicks of the project's job. data: the folder of each number of clicks."""
    seconds = {}
    for clicks, folder in data.items():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            file = Path(temporary) / "properties.json"
            checkpoints = Path(temporary) / "checkpoints"
            file.write_text(json.dumps(properties(project, folder, checkpoints, settings)))
            main_file = project / "analytics_sql" / "main.py"
            command = [sys.executable, str(main_file), "--properties", str(file)]
            seconds[clicks] = usage(command, log=Path(temporary) / "log").cpu_seconds
    small, large = sorted(seconds)
    return (seconds[large] - seconds[small]) / (large - small) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("projects", type=Path, nargs="*", default=[HERE], metavar="PROJECT")
    parser.add_argument("--flink", type=settings_of, action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--small", type=int, default=2_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    if given.small >= given.large:
        parser.error(f"--small {given.small} must be less than --large {given.large}")
    find_java()
    with tempfile.TemporaryDirectory() as temporary:
        data = {}
        for clicks in (given.small, given.large):
            data[clicks] = Path(temporary) / str(clicks)
            write_clicks(data[clicks], clicks=clicks, users=given.users)
            write_segments(data[clicks], users=given.users)
        for _ in range(given.runs):
            for project, settings in product(given.projects, [{}, *given.flink]):
                seconds = slope(project.resolve(), data, settings)
                variant = " ".join([str(project), *map("=".join, settings.items())])
                Console().print(f"{variant}: {seconds:.2f} CPU seconds per million clicks", soft_wrap=True)


if __name__ == "__main__":
    main()
