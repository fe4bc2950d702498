"""Alarms and refused segments on the board: drawn, read by keyboard, and never fine while not known."""

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.stub import Stubber
from playwright.sync_api import expect

from clients.batch_server.errors import TrendsError
from clients.board import alarms, ranking_freshness, refused, runbook, watched
from clients.board.alarms import Alarm, connect_alarms
from clients.board.refused import connect_refused
from clients.board.runbook import link, section
from contract.segments_receipt import RefusedUpload
from names import OREGON, REFUSED_SEGMENTS_PREFIX, TOKYO
from tests.clients.board.conftest import Look, StartBoard
from tests.clients.board.environments import ALARMS, HOSTILE, REFUSED, alarm
from tests.conftest import PROJECT

NO_ALARM = re.compile("not known: CloudWatch has no alarm")


class Changeable:
    """What a reading gives, which a test changes while the board runs."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SECONDS_BETWEEN", 0.2)


def test_alarms_are_drawn_the_newest_first_with_what_to_do_and_the_others_folded(
    start_board: StartBoard, look: Look
) -> None:
    page = look(start_board(alarms=lambda: ALARMS, time_zone="Asia/Tokyo"))
    panel = page.get_by_role("region", name="Alarms")
    expect(panel.locator("[aria-live]")).to_have_text("2 of 4 in ALARM; 1 without data")
    shown = panel.locator(".on > li")
    expect(shown).to_have_count(2)
    expect(shown.first).to_contain_text("click-trends-production-b-Errors")
    expect(shown.first).to_contain_text("18:15")  # 09:15 UTC
    expect(shown.first).to_contain_text("The newest ranking is old.")
    links = panel.locator(".on").get_by_role("link")
    assert [each.get_attribute("href") for each in links.all()] == [
        "https://wiki.example/runbook#errors",
        "/runbook/rankingage",
    ]
    expect(shown.first.locator("bdi", has_text="1 datapoint")).to_be_hidden()
    panel.locator(".others summary").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_text("INSUFFICIENT")).to_have_count(0)
    expect(panel.locator(".others li")).to_have_count(2)
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "what to do: click-trends-production-c-Nodes"
    expect(panel.locator(".others [href^=javascript]")).to_have_count(0)
    assert page.title() == "click-trends"
    answer = urllib.request.urlopen(f"{page.url.split('/?')[0]}/runbook/rankingage", timeout=10)
    assert answer.read().decode().startswith("### RankingAge\n")
    assert answer.headers.get_content_type() == "text/plain"


def test_the_focus_stays_on_an_alarm_while_others_come(start_board: StartBoard, look: Look) -> None:
    told = Changeable(ALARMS)
    page = look(start_board(alarms=told))
    wanted = page.get_by_role("link", name="what to do: click-trends-production-a-RankingAge")
    wanted.focus()
    told.value = [*ALARMS, alarm("click-trends-production-new", "ALARM", 30)]
    expect(page.locator("#alarms .on > li")).to_have_count(3)
    expect(wanted).to_be_focused()


def test_why_an_alarm_is_on_is_folded_and_stays_open_while_it_changes(
    start_board: StartBoard, look: Look
) -> None:
    name = "click-trends-production-feedback-RankingAge"
    on = {**alarm(name, "ALARM"), "shows": "click-trends-production-feedback: Rankings are old."}
    told = Changeable([on])
    page = look(start_board(alarms=told))
    item = page.locator("#alarms .on > li")
    expect(item.locator(".detail")).to_have_text("Rankings are old.")
    expect(item.get_by_text("1 datapoint")).to_be_hidden()
    item.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(item.get_by_text("1 datapoint")).to_be_visible()
    told.value = [{**on, "reason": "2 datapoints"}]
    expect(item.get_by_text("2 datapoints")).to_be_visible()
    expect(item.locator("summary")).to_be_focused()


@pytest.mark.parametrize("panel", ["alarms", "refused"])
def test_what_is_not_known_is_never_told_as_fine(start_board: StartBoard, look: Look, panel: str) -> None:
    page = look(start_board())
    status = page.locator(f"#{panel} [aria-live]")
    expect(status).to_have_text(re.compile("^⚠ not known: .*--environment"))
    told = Changeable(TrendsError("AccessDenied"))
    page = look(start_board(**{panel: told}))
    status = page.locator(f"#{panel} [aria-live]")
    expect(status).to_have_text("⚠ not known: AccessDenied")
    expect(page.locator(f"#{panel}[data-wrong]")).to_have_count(1)
    told.value = []
    expect(status).to_have_text(NO_ALARM if panel == "alarms" else "No file is kept as refused")
    told.value = RuntimeError("a fault")
    expect(status).to_have_text(
        re.compile(r"^⚠ not known since \d\d:\d\d: the board failed \(RuntimeError\)")
    )


def test_what_was_not_read_yet_is_told_as_neither_fine_nor_wrong(start_board: StartBoard, look: Look) -> None:
    read = threading.Event()

    def slow() -> list[Alarm]:
        read.wait(30)
        return ALARMS

    page = look(start_board(alarms=slow, refused=lambda: REFUSED))
    expect(page.locator("#refused [aria-live]")).to_have_text("The newest 1")
    expect(page.locator("#alarms [aria-live]")).to_have_text("Reading …")
    read.set()
    expect(page.locator("#alarms [aria-live]")).to_have_text("2 of 4 in ALARM; 1 without data")


def test_what_was_read_before_stays_and_grows_old(
    start_board: StartBoard, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.board.messages.SECONDS_BETWEEN", 0.1)
    told = Changeable(ALARMS)
    page = look(start_board(alarms=told, refused=lambda: REFUSED))
    expect(page.locator("#alarms .age")).to_contain_text("read ")
    told.value = TrendsError("throttled")
    expect(page.locator("#alarms .on > li")).to_have_count(2)
    expect(page.locator("#alarms[data-old] .age")).to_contain_text("old", timeout=25_000)
    expect(page.locator("#refused[data-old]")).to_have_count(0)


def test_refused_files_are_drawn_with_their_first_reasons_whatever_their_names(
    start_board: StartBoard, look: Look
) -> None:
    page = look(start_board(refused=lambda: REFUSED, time_zone="Asia/Tokyo"))
    panel = page.get_by_role("region", name="Refused segments")
    expect(panel.locator("[aria-live]")).to_have_text("The newest 1")
    expect(panel.locator(".label")).to_contain_text("<img src=x onerror=")
    expect(panel).to_contain_text("uploaded 2026-01-31 18:00")
    expect(panel.locator(".reasons > li")).to_have_count(4)
    expect(panel.locator(".reasons")).to_contain_text("line 3")
    expect(panel.locator(".reasons > li").last).to_have_text("and 1,201 more")
    assert HOSTILE[-1] not in panel.inner_text()  # no mark that turns the text around
    assert page.title() == "click-trends"
    expect(panel.locator("img")).to_have_count(0)


def test_alarms_are_served_or_a_503_says_why_not(start_board: StartBoard) -> None:
    with pytest.raises(urllib.error.HTTPError, match="503") as refusal:
        urllib.request.urlopen(f"{start_board(alarms=Changeable(TrendsError('away')))}/alarms", timeout=10)
    assert refusal.value.read() == b"away"


# ---- what AWS is asked


class _Session:
    """Gives a stubbed client for each service and region; whatever else is asked fails."""

    def __init__(self, answers: Mapping[tuple[str, str], Callable[[Stubber], None]]) -> None:
        self._answers = answers

    def client(self, service: str, region_name: str, **_: Any) -> Any:
        keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
        client = boto3.client(service, region_name=region_name, **keys)  # type: ignore[call-overload]
        stub = Stubber(client)
        self._answers[service, region_name](stub)
        stub.activate()
        return client


def _alarms_answer(name: str) -> Callable[[Stubber], None]:
    told = {
        "AlarmName": name,
        "StateValue": "ALARM",
        "AlarmDescription": "feedback: The ranking is old. What to do: https://wiki.example/#rankingage",
        "StateReason": "why",
        "StateUpdatedTimestamp": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        "StateTransitionedTimestamp": datetime(2026, 1, 31, 9, tzinfo=UTC),
    }
    asked = {"AlarmNamePrefix": "click-trends-production-"}
    return lambda stub: stub.add_response("describe_alarms", {"MetricAlarms": [told]}, asked)


def _denied(operation: str) -> Callable[[Stubber], None]:
    return lambda stub: stub.add_client_error(operation, "AccessDenied", "not authorized")


def test_cloudwatch_tells_the_alarms_of_both_regions_or_of_none() -> None:
    answers = {("cloudwatch", TOKYO): _alarms_answer("a"), ("cloudwatch", OREGON): _alarms_answer("b")}
    read: Sequence[Alarm] = connect_alarms(_Session(answers), "production", (TOKYO, OREGON))()  # type: ignore[arg-type]
    assert [(each["name"], each["region"]) for each in read] == [("a", TOKYO), ("b", OREGON)]
    assert read[0]["since"] == "2026-01-31T09:00:00+00:00"
    assert (read[0]["shows"], read[0]["runbook"]) == (
        "feedback: The ranking is old.", "https://wiki.example/#rankingage",
    )  # fmt: skip
    answers["cloudwatch", OREGON] = _denied("describe_alarms")
    with pytest.raises(TrendsError, match=r"us-west-2 does not tell .* needs cloudwatch:DescribeAlarms"):
        connect_alarms(_Session(answers), "production", (TOKYO, OREGON))()  # type: ignore[arg-type]


def test_the_newest_refused_files_are_read_and_a_refusal_says_what_it_needs() -> None:
    def listed(number: int) -> dict[str, Any]:
        key = f"{REFUSED_SEGMENTS_PREFIX}f{number}.csv.reasons.json"
        return {"Key": key, "LastModified": datetime(2026, 1, number, tzinfo=UTC)}

    def objects(stub: Stubber) -> None:
        bucket = "click-trends-production-segments-111111111111"
        file = {"Key": f"{REFUSED_SEGMENTS_PREFIX}f9.csv", "LastModified": datetime(2026, 2, 1, tzinfo=UTC)}
        some = {"Contents": [file, *map(listed, range(1, 9))]}
        stub.add_response("list_objects_v2", some, {"Bucket": bucket, "Prefix": REFUSED_SEGMENTS_PREFIX})
        for number in range(8, 8 - refused.NEWEST, -1):
            body = mock.Mock(read=lambda number=number: _refused(number).to_json())
            stub.add_response("get_object", {"Body": body}, {"Bucket": bucket, "Key": listed(number)["Key"]})

    def account(stub: Stubber) -> None:
        stub.add_response("get_caller_identity", {"Account": "111111111111"})

    answers: dict[tuple[str, str], Callable[[Stubber], None]] = {
        ("sts", OREGON): account,
        ("s3", OREGON): objects,
    }
    read = connect_refused(_Session(answers), "production", OREGON)()  # type: ignore[arg-type]
    assert [each.name for each in read] == [f"f{number}.csv" for number in (8, 7, 6, 5, 4)]
    answers["s3", OREGON] = _denied("list_objects_v2")
    with pytest.raises(TrendsError, match="needs s3:ListBucket and s3:GetObject"):
        connect_refused(_Session(answers), "production", OREGON)()  # type: ignore[arg-type]


def _refused(number: int) -> RefusedUpload:
    return RefusedUpload(name=f"f{number}.csv", upload="1", uploaded_at=0, reasons=(), number=0)


def test_a_section_of_the_runbook_ends_where_the_next_begins_and_no_other_is_read() -> None:
    text = section("rankingage") or ""
    assert text.startswith("### RankingAge\n")
    assert "\n### " not in text
    for anchor in ("no-such", "", "../board"):
        assert section(anchor) is None
    assert runbook.PAGE == PROJECT / runbook.FILE
    assert link("docs/operate/runbook.md#rankingage") == "/runbook/rankingage"
    for text in (
        "javascript:alert(1)",
        "docs/operate/runbook.md",
        "other.md#a",
        "docs/operate/runbook.md#a/../b",
    ):
        assert link(text) is None


def test_what_an_alarm_tells_is_where_its_description_says_it() -> None:
    assert alarms.WHAT_TO_DO in (PROJECT / "stacks/monitoring/alarm.py").read_text(encoding="utf-8")
    assert ranking_freshness.SECONDS_BETWEEN == 10.0
