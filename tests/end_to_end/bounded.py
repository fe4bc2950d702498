"""The application's bounded form, over what the twin has kept."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from contract.count import COUNT_KEY
from names import OREGON
from tests.conftest import PROJECT
from tests.end_to_end.conftest import CountKey, Pipeline


def download_segments(pipeline: Pipeline, folder: Path) -> None:
    """Every version, as published."""
    s3 = pipeline.twin.emulator.client("s3", OREGON)
    bucket = pipeline.twin.names.segments_bucket
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.download_file(bucket, item["Key"], str(folder / Path(item["Key"]).name))


def count_bounded(clicks: Path, segments: Path, out: Path) -> Counter[CountKey]:
    """The counts of the application's bounded form."""
    command = [sys.executable, str(PROJECT / "analytics_sql" / "main.py")]
    options = ["--clicks", str(clicks), "--segments", str(segments), "--out", str(out)]
    subprocess.run([*command, *options], check=True, timeout=180)
    counts: Counter[CountKey] = Counter()
    for file in (out / "click_counts").iterdir():
        for line in file.read_bytes().splitlines():
            count = json.loads(line)
            key = tuple(count[column] for column in COUNT_KEY)
            assert key not in counts, f"two counts for {key}"
            counts[key] = count["clicks"]
    return counts
