"""Made and damaged records of every form: no way through the twin changes what is in them."""

from pathlib import Path

import pytest

from contract.click import Unread, read, read_line
from contract.sink import UNPARSEABLE
from tests.analytics_sql.record_forms import Forms
from tests.lambdas.reconciliation.world import Counted, reject
from tests.twin.test_delivery_stream import raw_backup
from twin.click_outcomes import outcomes_of_clicks
from twin.transport import as_lines

SEED = 18
RECORDS = 1_500


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    return [*Forms(SEED).records(RECORDS)]


def test_the_files_transport_keeps_what_the_decoder_finds_in_a_record(
    records: list[bytes],
) -> None:
    for record in records:
        from_file = [unit for line in as_lines(record).split(b"\n") for unit in read_line(line)]
        assert from_file == read(record), record


def test_the_raw_backup_keeps_each_unit_and_each_is_accounted_for(
    records: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, put = raw_backup(tmp_path, monkeypatch, records)
    stream.flush()
    expected = [unit for record in records for unit in read(record)]
    [delivered] = put.call_args_list
    raw_lines = delivered.kwargs["Body"].split(b"\n")
    for lines in (raw_lines, stream.journal.read_bytes().split(b"\n")):
        assert [unit for line in lines for unit in read_line(line)] == expected

    # As if every click were rejected: with its id as text, and each unread rest with its text.
    rejects = [reject(unit, UNPARSEABLE if isinstance(unit, Unread) else "test") for unit in expected]
    found = outcomes_of_clicks([raw_lines], [rejects], Counted())
    unread = sum(isinstance(unit, Unread) for unit in expected)
    assert (found.unparseable, found.rejected.total()) == (unread, len(expected) - unread)
    again = outcomes_of_clicks([raw_lines], [rejects * 2], Counted())
    assert again.unparseable == unread
    assert again.rejected_again == len(rejects)
