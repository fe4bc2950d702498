"""What the run over files does before and after Flink: its folders, its jar, its account of the clicks."""

import gzip
import json
from pathlib import Path

import pytest

from analytics_sql import bounded, local_flink
from contract.sink import REJECTS_TABLE, SINKS

CLICK = b'{"click_id":"1"}\n'


@pytest.mark.parametrize(("connector", "target"), [("kinesis", "aws-jar"), ("filesystem", "setup")])
def test_a_missing_jar_is_named_with_how_to_build_it(
    connector: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for jar in ("JAR", "AWS_JAR"):
        monkeypatch.setattr(local_flink, jar, tmp_path / "not.jar")
    with pytest.raises(SystemExit, match=f"is missing: run `make {target}`"):
        local_flink.connector_jar({"clicks": {"connector": connector}})


@pytest.mark.parametrize("missing", ["clicks", "segments"])
def test_a_missing_folder_is_named(missing: str, tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("clicks", "segments")}
    for name, folder in folders.items():
        if name != missing:
            folder.mkdir()
    with pytest.raises(SystemExit, match=f"--{missing} .*: there is no such directory"):
        bounded.check_folders(folders["clicks"], folders["segments"], tmp_path / "out")


def test_a_folder_with_results_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "click_counts").mkdir()
    with pytest.raises(SystemExit, match="is not an empty directory"):
        bounded.check_folders(tmp_path, tmp_path, tmp_path / "out")


def test_clicks_that_flink_would_pass_over_are_refused(tmp_path: Path) -> None:
    (tmp_path / "_old").mkdir()
    (tmp_path / "_old" / "a.json").touch()
    with pytest.raises(SystemExit, match=r"a\.json: Flink passes over names that start with"):
        bounded.click_files(tmp_path)


def test_a_folder_without_click_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clicks.csv").touch()
    with pytest.raises(SystemExit, match=r"no \*\.json or \*\.json\.gz file is there"):
        bounded.click_files(tmp_path)


def outcome(tmp_path: Path, clicks: bytes, *, counted: int, rejected: int) -> bounded.ClickAccount:
    """Of a file with `clicks`, had the run written so many."""
    file = tmp_path / "clicks.json.gz"
    file.write_bytes(gzip.compress(clicks))
    for table in bounded.output_tables():
        (tmp_path / table).mkdir()
    for sink in SINKS:
        (tmp_path / sink.table / "part-0").write_text(json.dumps({"clicks": counted}) + "\n")
    (tmp_path / REJECTS_TABLE / "part-0").write_text('{"reason": "too_old"}\n' * rejected)
    return bounded.account([file], tmp_path)


def test_each_kind_of_record_is_counted_by_itself(tmp_path: Path) -> None:
    result = outcome(tmp_path, CLICK * 3 + b"no json\n\n  \n" + b"[{},{}]\n", counted=4, rejected=1)
    result.check()
    assert str(result).startswith("5 records in 1 file: 4 counted under 1 key,")
    assert str(result).endswith("1 rejected, 1 unparseable (arrays held 1 clicks more than one a record)")


def test_the_end_of_a_line_is_no_part_of_its_record(tmp_path: Path) -> None:
    record = CLICK.rstrip().decode().encode("utf-32-le")
    outcome(tmp_path, record + b"\n", counted=1, rejected=0).check()


@pytest.mark.parametrize(("counted", "by"), [(2, "1"), (4, "-1")])
def test_a_click_that_is_in_no_result_or_in_two_is_an_error_and_not_unparseable(
    counted: int, by: str, tmp_path: Path
) -> None:
    result = outcome(tmp_path, CLICK * 4 + b"no json\n", counted=counted, rejected=1)
    assert result.unparseable == 1
    with pytest.raises(SystemExit, match=f"differ from the clicks of the files by {by}: don't use"):
        result.check()
