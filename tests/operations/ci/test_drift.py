"""The nightly drift detection keeps one issue an environment, and is red where something drifted."""

import json
from pathlib import Path

import pytest

from operations.ci.drift import DriftState, body, keep_issue, main, marker, never_compared, outcome
from operations.ci.github import MAX_BODY_CHARACTERS, GitHub
from tests.conftest import PROJECT
from tests.operations.ci.conftest import REPOSITORY, StandIn

CLEAN = "Stack A\nNo drift detected\n\n✨  Number of resources with drift: 0 (3 unchecked)\n"
DRIFTED = (
    "Stack A\n[~] AWS::Kinesis::Stream Source\n └─ [~] /ShardCount\n\n✨  Number of resources with drift: 1\n"
)
NOTHING_CHECKED = CLEAN.replace("(3 unchecked)", "(108 unchecked)")
FAILED = "❌ Need to perform AWS calls for account 111111111111, but no credentials have been configured\n"


@pytest.mark.parametrize(
    ("output", "status", "expected"),
    [
        (CLEAN, 0, DriftState.CLEAN),
        (DRIFTED, 2, DriftState.DRIFTED),
        (FAILED, 2, DriftState.FAILED),
        ("", 0, DriftState.FAILED),
        (NOTHING_CHECKED, 0, DriftState.FAILED),
        (CLEAN.replace("(3 unchecked)", "(4 unchecked)"), 0, DriftState.FAILED),
        (CLEAN.replace(" (3 unchecked)", ""), 0, DriftState.CLEAN),
        (DRIFTED.replace("drift: 1", "drift: 1 (108 unchecked)"), 1, DriftState.DRIFTED),
        (CLEAN, 2, DriftState.FAILED),
        ("ClickTrends-production-TokyoIngest: No drift results available\n" + CLEAN, 0, DriftState.FAILED),
    ],
)
def test_only_a_finished_detection_without_drift_is_clean(
    output: str, status: int, expected: DriftState
) -> None:
    assert outcome(output, status, expected_unchecked=3) is expected


def test_what_cannot_be_compared_is_counted_in_every_template(tmp_path: Path) -> None:
    for stack, types in {"A": ["Custom::Pause", "AWS::SQS::Queue"], "B": ["Custom::Pause"], "C": []}.items():
        resources = {f"R{index}": {"Type": of_type} for index, of_type in enumerate(types)}
        (tmp_path / f"{stack}.template.json").write_text(
            json.dumps({"Resources": resources} if types else {})
        )
    assert never_compared(tmp_path) == 2
    assert never_compared(tmp_path / "nowhere") == 0


def test_the_issue_says_how_to_put_back_what_an_unchanged_template_does_not() -> None:
    text = body("production", DriftState.DRIFTED, DRIFTED, "the run")
    assert "npx cdk deploy --all --revert-drift -c environment=production" in text


def test_the_pinned_command_line_has_the_option_that_puts_back() -> None:
    told = (PROJECT / "node_modules/aws-cdk/lib/index.js").read_text(encoding="utf-8")
    assert '"revert-drift"' in told
    assert 'DeploymentMode: revertDrift ? "REVERT_DRIFT"' in told


def test_the_issue_is_opened_updated_and_closed(stand_in: StandIn, github: GitHub) -> None:
    def keep(found: DriftState, output: str) -> str:
        return keep_issue(github, "production", found, body("production", found, output, "the run"))

    assert keep(DriftState.CLEAN, CLEAN) == "nothing to do"
    assert keep(DriftState.DRIFTED, DRIFTED) == "opened #1"
    assert keep(DriftState.FAILED, FAILED) == "updated #1"
    assert "could not be detected" in stand_in.issues[1]["body"]
    assert keep(DriftState.CLEAN, CLEAN) == "closed #1"
    assert stand_in.issues[1]["state"] == "closed"
    assert "Nothing that CloudFormation compares of `production` differs" in stand_in.issues[1]["comments"][0]
    assert keep(DriftState.DRIFTED, DRIFTED) == "opened #2"


@pytest.mark.parametrize("answer", [502, None], ids=["bad gateway", "no answer"])
def test_an_issue_whose_answer_is_lost_is_not_opened_twice(
    answer: int | None, stand_in: StandIn, github: GitHub
) -> None:
    stand_in.lost = [("POST", answer)]
    text = body("production", DriftState.DRIFTED, DRIFTED, "the run")
    assert keep_issue(github, "production", DriftState.DRIFTED, text) == "opened #1"
    assert len(stand_in.issues) == 1


def test_other_issues_are_left_alone(stand_in: StandIn, github: GitHub) -> None:
    stand_in.issue(marker("production"), by="somebody")
    stand_in.issue(marker("staging"))
    stand_in.issue(marker("production"), pull_request={})
    stand_in.issue(None)
    stand_in.issues[stand_in.issue(marker("production"))]["user"] = None
    text = body("production", DriftState.DRIFTED, DRIFTED, "the run")
    assert keep_issue(github, "production", DriftState.DRIFTED, text) == "opened #6"
    assert keep_issue(github, "production", DriftState.CLEAN, text) == "closed #6"
    assert [issue["state"] for issue in stand_in.issues.values()] == ["open"] * 5 + ["closed"]


def test_a_long_output_keeps_its_end_and_no_output_leaves_its_fence() -> None:
    text = body("production", DriftState.DRIFTED, "\x1b[31m```\n" + "line\n" * 40_000 + DRIFTED, "the run")
    assert len(text) <= MAX_BODY_CHARACTERS
    assert "Number of resources with drift: 1" in text
    assert text.count("```") == 2
    assert "\x1b" not in text


@pytest.fixture
def workflow(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a job on GitHub."""
    for name, value in {
        "GITHUB_API_URL": stand_in.address,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": "right",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "5",
    }.items():
        monkeypatch.setenv(name, value)


def ends_with(folder: Path, output: str | None, status: int, deploying: str = "") -> int:
    """What the command ends with after a run of `make drift` that said `output` and ended with `status`."""
    if output is not None:
        (folder / "drift.txt").write_text(output, encoding="utf-8")
    (folder / "deploying.txt").write_text(deploying, encoding="utf-8")
    template = {"Resources": {f"R{index}": {"Type": "Custom::Pause"} for index in range(3)}}
    (folder / "A.template.json").write_text(json.dumps(template), encoding="utf-8")
    files = ["--output", str(folder / "drift.txt"), "--deploying", str(folder / "deploying.txt")]
    files += ["--assembly", str(folder)]
    return main(["--environment", "production", "--status", str(status), *files])


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(("output", "code"), [(CLEAN, 0), (DRIFTED, 1), (NOTHING_CHECKED, 1), (None, 1)])
def test_the_command_ends_red_unless_all_is_as_deployed(
    output: str | None, code: int, stand_in: StandIn, tmp_path: Path
) -> None:
    status = 0 if output == NOTHING_CHECKED else code
    assert ends_with(tmp_path, output, status) == code
    assert len(stand_in.issues) == code


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("output", [CLEAN, DRIFTED, FAILED, None])
def test_while_a_stack_is_being_deployed_the_issue_stays_and_the_run_says_why(
    output: str | None, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = stand_in.issue(marker("production") + " of the night before")
    before = dict(stand_in.issues[kept])
    line = "ClickTrends-production-TokyoIngest (ap-northeast-1) is UPDATE_IN_PROGRESS"
    assert ends_with(tmp_path, output, 1, deploying=f"{line}\n") == 0
    assert stand_in.issues == {kept: before}
    said = capsys.readouterr().out
    assert said == f"::warning::production is not looked at, as it is being deployed: {line}\n"
