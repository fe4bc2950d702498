"""What the board is made of, without a browser: choices, titles, reconciliation, messages, the command."""

import asyncio
import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from typer.testing import CliRunner

from clients.batch_server import ALL_READERS, Segment, TrendsError
from clients.batch_server.errors import QuestionError
from clients.batch_server.served_rankings import Served
from clients.board import ranking_freshness, server
from clients.board.query_loop import QueryLoop
from clients.board.questions import BoardQuestion, QuestionKind, questions_of_view
from clients.board.reconciliation import REJECTED_KEPT, ClickTotals, Reconciliations
from clients.board.titles import read_titles
from clients.command_line.command import app
from contract.count import SEGMENT_COLUMNS, WINDOW

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_view_is_the_questions_of_what_was_chosen() -> None:
    chosen = [("by", "region"), ("article", "a\x00"), ("cell.region", "tokyo"), ("compare.gender", "male")]
    assert set(questions_of_view(chosen)) == {
        BoardQuestion(QuestionKind.HEAT_MAP, by=("region",)),
        BoardQuestion(QuestionKind.CLICKS),
        BoardQuestion(QuestionKind.RISING),
        BoardQuestion(QuestionKind.SEGMENTS),
        BoardQuestion(QuestionKind.SERIES, segment=Segment(region="tokyo"), article_id="a\x00"),
        BoardQuestion(QuestionKind.COMPARE, segment=Segment(gender="male")),
    }


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ([("by", "shoe_size")], f"choose of {', '.join(SEGMENT_COLUMNS)}"),
        ([("by", "")], "choose of"),
        ([("by", "gender"), ("by", "gender")], "by was chosen twice"),
        ([("article", "語" * 171)], "more than 512 bytes"),
        ([("compare.gender", "x" * 513)], "more than 512 bytes"),
        ([("compare.shoe_size", "43"), ("nonsense", "")], "knows no compare.shoe_size, nonsense"),
    ],
)
def test_a_view_of_anything_else_is_refused_with_the_reason(
    chosen: list[tuple[str, str]], reason: str
) -> None:
    with pytest.raises(TrendsError, match=reason):
        questions_of_view(chosen)


def test_the_reconciliation_says_what_is_on_its_way_and_what_was_rejected_when() -> None:
    reconciliations = Reconciliations()
    assert reconciliations.newest is None
    for minutes, rejected in ((0, 3), (0, 5), (1, 5), (2, 9)):
        reconciliation = ClickTotals(sent=100, counted=80, rejected=rejected, unparseable=4)
        reconciliations.tell(reconciliation, at=NOON + minutes * WINDOW + timedelta(seconds=rejected))
    newest = reconciliations.newest
    assert newest is not None
    assert newest.reconciliation.on_their_way == 7
    assert newest.rejected == ((NOON, 5), (NOON + WINDOW, 0), (NOON + 2 * WINDOW, 4))


def test_the_reconciliation_keeps_the_rejects_of_two_hours() -> None:
    reconciliations = Reconciliations()
    for number in range(2_000):
        reconciliation = ClickTotals(sent=0, counted=0, rejected=number, unparseable=0)
        reconciliations.tell(reconciliation, at=NOON + number * WINDOW)
    assert reconciliations.newest is not None
    assert len(reconciliations.newest.rejected) == REJECTED_KEPT // WINDOW
    assert reconciliations.newest.rejected[-1] == (NOON + 1_999 * WINDOW, 1)


def test_titles_are_read_with_commas_quotes_line_breaks_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "titles.csv"
    file.write_text('\ufeffarticle_id,title\n記事,"一, ""二""\n三"\narticle_id,x\n', encoding="utf-8")
    assert read_titles(file) == {"記事": '一, "二"\n三', "article_id": "x"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id,title\n", "must begin with the line article_id,title"),
        (b"", "must begin with the line article_id,title"),
        (b"\xef\xbb\xbf", "must begin with the line article_id,title"),
        (b"\narticle_id,title\n", "must begin with the line article_id,title"),
        (b"article_id,title\na,b\nc\n", "line 3: write an article_id and a title"),
        (b"article_id,title\n\xff,b\n", "cannot be read"),
        (b'article_id,title\n"a,b\n', "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_titles_of_another_form_are_refused_with_the_line(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "titles.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TrendsError, match=reason):
        read_titles(file)


def test_the_command_says_where_the_board_is_and_serves_it_as_asked() -> None:
    arguments = ["board", "--endpoint", "https://d.example", "--last", "30m", "--time-zone", "Asia/Tokyo"]
    with (
        mock.patch("clients.command_line.command.connect", autospec=True) as connect,
        mock.patch.object(server, "serve") as serve,
    ):
        result = CliRunner().invoke(app, [*arguments, "--port", "0"])
    assert result.exit_code == 0, result.output
    board, listening = serve.call_args.args
    listening.close()
    assert connect.call_args.kwargs["max_attempts"] == server.ATTEMPTS
    assert board.reader is connect.return_value
    assert (board.spans.last, board.spans.before) == (timedelta(minutes=30), timedelta(hours=1))
    assert board.time_zone == "Asia/Tokyo"
    assert re.search(r"the board is at http://127\.0\.0\.1:\d+;", result.stderr)


def test_the_command_opens_the_board_with_the_segment_that_it_is_given() -> None:
    arguments = ["board", "--endpoint", "https://d.example", "--age-band", "20s", "--segment", "gender=女 性"]
    with (
        mock.patch("clients.command_line.command.connect", autospec=True) as connect,
        mock.patch.object(server, "serve") as serve,
    ):
        result = CliRunner().invoke(app, [*arguments, "--port", "0"])
        serve.call_args.args[1].close()
        told = re.search(r"http://127\.0\.0\.1:\d+/\?(\S+);", result.stderr)
        assert told, result.stderr
        compared = questions_of_view(parse_qsl(told[1]))[-1]
        assert compared == BoardQuestion(
            QuestionKind.COMPARE, segment=Segment(age_band="20s", gender="女 性")
        )
        connect.return_value.check_values.side_effect = QuestionError("no age_band is 2os: there are 20s")
        result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr) == (2, "click-trends: no age_band is 2os: there are 20s\n")
    serve.assert_called_once()


def test_a_board_beside_another_takes_a_port_of_its_own() -> None:
    with (
        mock.patch("clients.command_line.command.connect", autospec=True),
        mock.patch.object(server, "serve") as serve,
    ):
        for _ in range(2):
            result = CliRunner().invoke(app, ["board", "--endpoint", "https://d.example"])
            assert result.exit_code == 0, result.output
    first, second = (call.args[1] for call in serve.call_args_list)
    assert first.getsockname() != second.getsockname()
    first.close()
    second.close()


def test_the_command_reads_the_table_of_rankings_where_it_is_told_which() -> None:
    arguments = ["board", "--endpoint", "https://d.example", "--port", "0", "--role-arn", "arn:role"]
    with (
        mock.patch("clients.command_line.command.connect", autospec=True),
        mock.patch("clients.command_line.command.connect_table", autospec=True) as connect_table,
        mock.patch.object(server, "serve") as serve,
    ):
        for more, environment in (([], {}), (["--table-region", "eu-west-1"], {"CLICK_TRENDS_TABLE": "t"})):
            result = CliRunner().invoke(app, [*arguments, *more], env=environment)
            assert result.exit_code == 0, result.output
    boards = [call.args[0] for call in serve.call_args_list]
    for call in serve.call_args_list:
        call.args[1].close()
    connect_table.assert_called_once_with("t", region="eu-west-1", role_arn="arn:role")
    assert [board.served for board in boards] == [None, connect_table.return_value.read]


def test_the_table_is_read_for_all_viewers_together_and_not_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranking_freshness, "SECONDS_BETWEEN", 0.02)
    reasons: list[Exception | None] = [None, TrendsError("no such table"), KeyError("x"), None]
    reads: list[int] = []

    def read() -> Served:
        reason = reasons[min(len(reads), len(reasons) - 1)]
        reads.append(len(reads))
        if reason is not None:
            raise reason
        return Served(segment=ALL_READERS, ranking=None, at=NOON)

    async def watch() -> list[str | None]:
        loop = QueryLoop(lambda _: mock.Mock(), {})
        watched = ranking_freshness.RankingFreshness(read, loop)
        running = asyncio.create_task(watched.run())
        await asyncio.sleep(0.1)
        assert reads == []
        problems: list[str | None] = []
        with ExitStack() as viewers:
            for _ in range(10):
                viewers.enter_context(loop.watching([]))
            assert not loop.is_watched
            for _ in range(10):
                viewers.enter_context(loop.watching([BoardQuestion(QuestionKind.CLICKS)]))
            while len(reads) < len(reasons) + 1:
                if not problems or watched.stage.problem != problems[-1]:
                    problems.append(watched.stage.problem)
                await asyncio.sleep(0.001)
        seen = len(reads)
        await asyncio.sleep(0.1)
        assert len(reads) <= seen + 1
        running.cancel()
        return problems

    assert asyncio.run(watch()) == [
        None, "no such table", "the board failed (KeyError): look at its log", None,
    ]  # fmt: skip


def test_the_command_names_a_port_that_is_taken() -> None:
    taken = server.bind(0)
    port = str(taken.getsockname()[1])
    with mock.patch("clients.command_line.command.connect", autospec=True):
        result = CliRunner().invoke(app, ["board", "--endpoint", "https://d.example", "--port", port])
    taken.close()
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "choose another --port" in result.stderr
