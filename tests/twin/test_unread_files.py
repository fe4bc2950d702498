"""How far Flink is behind with what the files transport has copied."""

from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from unittest import mock

from twin.processes import wait_for
from twin.transport import FilesTransport


def _transport(root: Path, kinesis: mock.Mock) -> FilesTransport:
    emulator = mock.Mock()
    emulator.client_as.return_value = kinesis
    deployed = {"clicks": {"connector": "kinesis", "stream.arn": "arn"}}
    return FilesTransport(emulator, deployed, application_role_arn="role", root=root)


def test_a_click_is_behind_until_flink_has_read_its_file(tmp_path: Path) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    record = {
        "SequenceNumber": "1",
        "PartitionKey": "a",
        "Data": b"{}",
        "ApproximateArrivalTimestamp": hour_ago,
    }
    kinesis = mock.MagicMock()
    kinesis.list_shards.return_value = {"Shards": [{"ShardId": "0"}]}
    first = {"Records": [record], "NextShardIterator": "next", "MillisBehindLatest": 0}
    kinesis.get_records.side_effect = chain([first], repeat({**first, "Records": []}))
    transport = _transport(tmp_path, kinesis)
    try:
        file = tmp_path / "clicks" / "clicks-00000001.json"
        wait_for(file.exists, what="the file of the click", timeout_seconds=10)
        assert transport.seconds_behind >= 3600
        assert file.read_bytes() == b"{}\n"
        assert transport.seconds_behind < 60
        transport.begin_anew(file.stat().st_mtime, {})  # its state contains the click
        assert transport.seconds_behind < 60
        transport.begin_anew(0.0, {})
        assert transport.seconds_behind >= 3600
    finally:
        transport.stop()


def test_uncopied_clicks_are_behind(tmp_path: Path) -> None:
    kinesis = mock.MagicMock()
    kinesis.list_shards.return_value = {"Shards": [{"ShardId": "0"}, {"ShardId": "1"}]}
    kinesis.get_records.side_effect = lambda **asked: {
        "Records": [],
        "NextShardIterator": asked["ShardIterator"],
        "MillisBehindLatest": 90_000,
    }
    transport = _transport(tmp_path, kinesis)
    try:
        wait_for(lambda: transport.seconds_behind >= 90, what="the lag", timeout_seconds=10)
    finally:
        transport.stop()
