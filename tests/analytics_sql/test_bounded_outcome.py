"""What a bounded run does around Flink: folders, jar, reconciliation of the clicks, failures."""

import gzip
import json
from pathlib import Path

import pytest

from analytics_sql import bounded, local_flink
from analytics_sql.click_files import read_click_files
from contract.count import SEGMENT_COLUMNS, UNKNOWN
from contract.sink import REJECTS_TABLE, SINKS

CLICK = b'{"click_id":"1"}\n'
SEGMENT = dict.fromkeys(SEGMENT_COLUMNS, "f")


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
    with pytest.raises(SystemExit, match=f"--{missing} .*: no such directory"):
        bounded.check_folders(folders["clicks"], folders["segments"], tmp_path / "out")


def test_a_folder_with_results_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "click_counts").mkdir()
    with pytest.raises(SystemExit, match="is not an empty directory"):
        bounded.check_folders(tmp_path, tmp_path, tmp_path / "out")


def outcome(
    tmp_path: Path, clicks: bytes, *, counted: int, rejected: int, unparseable: int = 0
) -> bounded.ClickReconciliation:
    """The reconciliation of a file with `clicks`, if the run had written these numbers."""
    file = tmp_path / "clicks.json.gz"
    file.write_bytes(gzip.compress(clicks))
    for table in bounded.output_tables():
        (tmp_path / table).mkdir()
    for sink in SINKS:
        (tmp_path / sink.table / "part-0").write_text(json.dumps({"clicks": counted, **SEGMENT}) + "\n")
    (tmp_path / REJECTS_TABLE / "part-0").write_text(
        '{"reason": "too_old"}\n' * rejected + '{"reason": "unparseable"}\n' * unparseable
    )
    return bounded.reconciled(read_click_files([file]), tmp_path)


def test_each_kind_of_outcome_is_counted_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "SINKS", SINKS[:1])
    clicks = CLICK.rstrip() * 3 + b" cut\nno json\n\n  \n" + b"[{},{}]\n"
    result = outcome(tmp_path, clicks, counted=4, rejected=1, unparseable=2)
    assert result.problem() is None
    assert str(result).splitlines() == [
        "7 received in 3 lines of 1 file: 4 counted under 1 key, 1 rejected, 2 unparseable",
        f"first unparseable: {tmp_path / 'clicks.json.gz'}, line 1",
    ]


@pytest.mark.parametrize(("unparseable", "by"), [(0, "1"), (2, "-1")])
def test_an_unread_rest_that_is_not_rejected_once_is_an_error(
    unparseable: int, by: str, tmp_path: Path
) -> None:
    result = outcome(tmp_path, CLICK + b"no json\n", counted=1, rejected=0, unparseable=unparseable)
    assert f"unparseable of the rejected clicks and of the files differ by {by}. " in str(result.problem())


@pytest.mark.parametrize(("counted", "by"), [(2, "1"), (4, "-1")])
def test_a_click_in_no_result_or_in_two_is_an_error(counted: int, by: str, tmp_path: Path) -> None:
    result = outcome(tmp_path, CLICK * 4 + b"no json\n", counted=counted, rejected=1, unparseable=1)
    assert result.files.unparseable == 1
    assert f"differ from the clicks of the files by {by}. Were files changed" in str(result.problem())


class _JavaError(Exception):
    """As Py4J reports one."""

    def __str__(self) -> str:
        return (
            "An error occurred while calling o43.wait.\n"
            ": java.util.concurrent.ExecutionException: failed\n\tat x\n"
            "Caused by: java.io.IOException: No space left on device\n\t... 9 more\n"
        )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (_JavaError(), "The run failed, and nothing is left in OUT: No space left on device"),
        (OSError(28, "full"), "The run failed, and nothing is left in OUT: [Errno 28] full"),
        (KeyError("unforeseen"), "The run failed, and nothing is left in OUT: 'unforeseen'"),
        (KeyboardInterrupt(), ""),
    ],
)
def test_a_run_that_fails_says_why_and_leaves_no_counts(
    error: BaseException, told: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def fail(_: bounded.Properties) -> None:
        (out / SINKS[0].table / "part-0").write_bytes(b"{")
        raise error

    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks" / "a.json").write_bytes(CLICK)
    with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
        bounded.run_over_files(tmp_path / "clicks", tmp_path, out, run=fail)
    assert str(ended.value) == told.replace("OUT", str(out))
    assert list(out.iterdir()) == []


def test_a_result_with_missing_clicks_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks" / "a.json").write_bytes(CLICK)
    folders = ["--clicks", str(tmp_path / "clicks"), "--segments", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["main.py", *folders, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"by 1\. Were files changed during the run\? Nothing is left in"):
        bounded.command(run=lambda _: None)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_results_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks" / "a.json").write_bytes(CLICK)
    out = tmp_path / "clicks" / "a.json" / "out"
    with pytest.raises(SystemExit, match=r"The run failed, .*Not a directory"):
        bounded.run_over_files(tmp_path / "clicks", tmp_path, out, run=lambda _: None)


def test_clicks_of_readers_without_a_segment_are_reported(tmp_path: Path) -> None:
    result = outcome(tmp_path, CLICK * 2, counted=2, rejected=0)
    unknown = dict.fromkeys(SEGMENT_COLUMNS, UNKNOWN)
    with (tmp_path / SINKS[0].table / "part-1").open("w") as file:
        file.write(json.dumps({"clicks": 3, **unknown}) + "\n")
    assert "as unknown" not in str(result)
    assert "3 clicks counted as unknown" in str(bounded.reconciled(result.files, tmp_path))
