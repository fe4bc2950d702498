"""Which stacks are being deployed, as CloudFormation says it in both regions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from operations.ci.deploying import deploying, main
from settings import load

BEGAN = datetime(2026, 1, 31, 18, 17, tzinfo=UTC)
SETTINGS = load("production")


def said(*answers: dict[str, Any] | str, since: datetime | None = None) -> list[str]:
    """answers: in the order of the deployment, as the stack's status and times, or as the code of an
    error."""
    waiting = list(answers)
    asked = []

    def client(region: str) -> Any:
        asked.append(region)
        made = boto3.client("cloudformation", region, aws_access_key_id="any", aws_secret_access_key="any")
        stubber = Stubber(made)
        answer = waiting.pop(0)
        if isinstance(answer, str):
            stubber.add_client_error("describe_stacks", answer)
        else:
            stack = {"StackName": "any", "CreationTime": BEGAN - timedelta(days=9), **answer}
            stubber.add_response("describe_stacks", {"Stacks": [stack]})
        stubber.activate()
        return made

    lines = list(deploying(SETTINGS, client, since))
    assert asked == ["us-west-2", "ap-northeast-1", "us-west-2", "ap-northeast-1"]
    return lines


DONE = {"StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": BEGAN - timedelta(days=1)}


def test_stacks_at_rest_are_not_being_deployed() -> None:
    assert (
        said(DONE, {"StackStatus": "CREATE_COMPLETE"}, {"StackStatus": "UPDATE_ROLLBACK_FAILED"}, DONE) == []
    )
    assert said(DONE, DONE, DONE, DONE, since=BEGAN) == []


@pytest.mark.parametrize(
    "state", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
)
def test_a_stack_that_changes_is_named_with_its_state(state: str) -> None:
    lines = said(DONE, DONE, DONE, {"StackStatus": state})
    assert lines == [f"ClickTrends-production-TokyoIngest (ap-northeast-1) is {state}"]


def test_a_deployment_that_began_and_ended_meanwhile_is_named() -> None:
    over = {"StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": BEGAN + timedelta(minutes=3)}
    [line] = said(DONE, DONE, over, DONE, since=BEGAN)
    assert line == (
        "ClickTrends-production-OregonAnalytics (us-west-2) was deployed at 18:20 UTC, and is UPDATE_COMPLETE"
    )
    assert said(DONE, DONE, over, DONE) == []


def test_stacks_that_are_not_there_or_only_planned_are_passed_over() -> None:
    assert said("ValidationError", {"StackStatus": "REVIEW_IN_PROGRESS"}, DONE, DONE) == []


def test_a_refused_answer_is_not_taken_for_rest() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        said("AccessDenied")


def test_without_an_answer_the_command_says_that_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["--environment", "production"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Whether something is being deployed is not known: ")


def test_settings_that_cannot_be_read_end_the_command_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--environment", "nowhere"]) == 1
    assert "There is no environment 'nowhere'" in capsys.readouterr().err
