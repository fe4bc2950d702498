"""A healthy account lacks nothing, and each thing that one may lack is said with its remedy."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ProxyConnectionError, SSLError
from typer.testing import CliRunner

from names import OREGON, TOKYO
from operations.doctor import command
from operations.doctor.aws import Aws
from operations.doctor.check import Check, Diagnosis, Verdict, ok, run
from operations.doctor.report import as_json, as_text, exit_code
from tests.operations.doctor.conftest import LIMITS, NOT_IN_THE_EMULATOR, Patient

REFUSED = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}


def test_a_healthy_account_lacks_nothing(patient: Patient) -> None:
    findings = patient.findings()
    assert not patient.not_ok(), as_text(findings)
    assert exit_code(findings) == 0
    looked_at = {(finding.where, finding.check) for finding in findings}
    assert {("account", "credentials"), (TOKYO, "bootstrap"), (OREGON, "KPUs of an application")} <= looked_at


def test_a_region_without_the_bootstrap_or_with_an_old_one_is_named_with_the_command(
    patient: Patient,
) -> None:
    patient.bootstrap(TOKYO, 5)
    patient.emulator.client("ssm", OREGON).delete_parameters(Names=["/cdk-bootstrap/hnb659fds/version"])
    found = patient.not_ok()
    assert set(found) == {(TOKYO, "bootstrap"), (OREGON, "bootstrap")}
    old, missing = found[TOKYO, "bootstrap"].diagnosis, found[OREGON, "bootstrap"].diagnosis
    assert old.text == "The CDK's bootstrap is of version 5, 6 is needed."
    assert missing.text == "The CDK's bootstrap is missing."
    assert missing.remedy == f"npx cdk bootstrap aws://{patient.settings.account}/{OREGON}"


@pytest.mark.parametrize(
    ("operation", "answer", "finding", "text"),
    [
        pytest.param(
            "kinesis.DescribeLimits",
            {**NOT_IN_THE_EMULATOR["kinesis.DescribeLimits"], "OnDemandStreamCount": 50},
            (TOKYO, "Kinesis streams and shards"),
            "0 of 50 on-demand streams are free, 1 needed",
            id="no on-demand stream left",
        ),
        pytest.param(
            "service-quotas.GetServiceQuota",
            {"Quota": {"Value": 0.0}},
            (OREGON, "KPUs of an application"),
            "need 1, Apache Flink KPUs is 0",
            id="no KPU",
        ),
        pytest.param(
            "opensearch.ListVersions",
            {"Versions": ["OpenSearch_3.5"]},
            (OREGON, "OpenSearch engine"),
            "does not offer OpenSearch_3.7; the newest there is OpenSearch_3.5",
            id="the engine is too new",
        ),
        pytest.param(
            "opensearch.ListInstanceTypeDetails",
            {"InstanceTypeDetails": []},
            (OREGON, "OpenSearch nodes"),
            "does not offer m7g.large.search for OpenSearch_3.7",
            id="no such instance",
        ),
        pytest.param(
            "opensearch.ListInstanceTypeDetails",
            {"InstanceTypeDetails": [{"InstanceType": "m7g.large.search", "AvailabilityZones": ["a", "b"]}]},
            (OREGON, "OpenSearch nodes"),
            "in 2 availability zones, search.availability_zones is 3",
            id="two zones of three",
        ),
        pytest.param(
            "opensearch.DescribeInstanceTypeLimits",
            {
                "LimitsByRole": {
                    "data": {
                        **LIMITS,
                        "InstanceLimits": {"InstanceCountLimits": {"MaximumInstanceCount": 2}},
                    }
                }
            },
            (OREGON, "OpenSearch limits"),
            "at most 2 nodes of m7g.large.search, search.instance_count is 3",
            id="too many nodes",
        ),
        pytest.param(
            "ec2.DescribeRegions",
            {"Regions": [{"RegionName": "x", "OptInStatus": "not-opted-in"}]},
            (TOKYO, "region"),
            "is not enabled in this account",
            id="a region that must be enabled",
        ),
        pytest.param(
            "iam.GetAccountSummary",
            {"SummaryMap": {"Roles": 999, "RolesQuota": 1000}},
            ("account", "IAM roles"),
            "999 of 1,000 are used, {roles} more are needed",
            id="roles",
        ),
    ],
)
def test_what_the_account_lacks_is_said_with_a_remedy(
    patient: Patient, operation: str, answer: dict[str, Any], finding: tuple[str, str], text: str
) -> None:
    patient.answers[operation] = answer
    found = patient.not_ok(only=finding[1])[finding].diagnosis
    assert found.verdict is Verdict.LACKS
    roles = len(list(patient.wanted.of_type("AWS::IAM::Role")))
    assert text.format(roles=roles) in found.text
    assert found.remedy


def executions(patient: Patient, *, quota: int, unreserved: int, reserved: int = 0) -> dict[str, Diagnosis]:
    """Of each region, in an account with so many executions; reserved: by the feedback's function."""
    patient.answers["lambda.GetAccountSettings"] = {
        "AccountLimit": {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": unreserved}
    }
    for function in patient.wanted.of_type("AWS::Lambda::Function"):
        properties: Any = function.properties
        properties.pop("ReservedConcurrentExecutions", None)
        if reserved and str(function.name).endswith("-feedback"):
            properties["ReservedConcurrentExecutions"] = reserved
    return {one.where: one.diagnosis for one in patient.findings(only="Lambda executions")}


def test_a_new_account_has_executions_enough_for_the_default_settings(patient: Patient) -> None:
    found = executions(patient, quota=10, unreserved=10)
    assert {diagnosis.verdict for diagnosis in found.values()} == {Verdict.OK}


def test_a_reservation_that_aws_would_refuse_stands_in_the_way(patient: Patient) -> None:
    found = executions(patient, quota=10, unreserved=10, reserved=1)[TOKYO]
    assert found.verdict is Verdict.LACKS
    assert "1 of 10 concurrent executions are to be reserved for click-trends-patient-feedback" in found.text
    assert "--quota-code L-B99A9384" in found.remedy


def test_too_few_executions_for_the_peak_stop_no_deployment(patient: Patient) -> None:
    found = executions(patient, quota=1_000, unreserved=2)[OREGON]
    assert found.verdict is Verdict.WARNING
    assert "2 of 1,000 concurrent executions are unreserved, the declared peak needs 6" in found.text
    assert "--quota-code L-B99A9384" in found.remedy


def test_provisioned_shards_must_fit_into_what_is_free(patient: Patient) -> None:
    patient.answers["kinesis.DescribeLimits"] = {
        **NOT_IN_THE_EMULATOR["kinesis.DescribeLimits"],
        "ShardLimit": 13,
    }
    for stream in patient.wanted.of_type("AWS::Kinesis::Stream"):
        stream.properties["ShardCount"] = 4  # type: ignore[index]
    found = patient.not_ok(only="Kinesis streams and shards")[OREGON, "Kinesis streams and shards"].diagnosis
    assert found.text == "3 of 13 shards are free, 4 needed."


def test_a_volume_or_more_nodes_than_the_service_takes_are_refused(patient: Patient) -> None:
    search = patient.settings.search.model_copy(update={"volume_gib": 2_000, "instance_count": 81})
    found = patient.findings(patient.settings.model_copy(update={"search": search}), only="OpenSearch limits")
    lacking = [finding.diagnosis.text for finding in found if finding.diagnosis.verdict is Verdict.LACKS]
    assert [text for text in lacking if "gp3 volume of at most 1,024 GiB" in text]
    assert [text for text in lacking if "at most 80 nodes" in text]


def test_a_quota_that_service_quotas_does_not_know_is_the_default(patient: Patient) -> None:
    unknown = {"Error": {"Code": "NoSuchResourceException", "Message": "no such quota"}}
    for operation in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        patient.answers[f"service-quotas.{operation}"] = unknown
    analytics = patient.settings.analytics.model_copy(update={"parallelism": 65})
    found = patient.not_ok(
        patient.settings.model_copy(update={"analytics": analytics}), only="KPUs of an application"
    )
    [(where, outcome)] = [(key, finding.diagnosis) for key, finding in found.items()]
    assert where == (OREGON, "KPUs of an application")
    assert "need 65, Apache Flink KPUs is 64" in outcome.text
    assert "--quota-code L-3A88E041 --desired-value 65" in outcome.remedy


@pytest.mark.parametrize(("clicks", "short"), [(490, 0), (600, 1), (5_000, 2)])
def test_app_logins_at_the_declared_peak_are_compared_with_cognitos_quota(
    patient: Patient, clicks: int, short: int
) -> None:
    unknown = {"Error": {"Code": "NoSuchResourceException", "Message": "no such quota"}}
    for operation in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        patient.answers[f"service-quotas.{operation}"] = unknown
    peak = patient.settings.peak.model_copy(update={"clicks_per_second": clicks, "mobile_share": 0.5})
    found = patient.findings(patient.settings.model_copy(update={"peak": peak}), only="logins of the apps")
    warnings = [finding.diagnosis for finding in found if finding.diagnosis.verdict is Verdict.WARNING]
    assert len(warnings) == short
    assert {finding.where for finding in found} == {TOKYO}
    if short:
        needed = clicks // 20
        assert f"{needed} logins a second" in warnings[0].text
        assert f"--service-code cognito-identity --quota-code L-A38ADA84 --desired-value {needed}" in (
            warnings[0].remedy
        )
    else:
        assert found[0].diagnosis.text == "25 a second needed, the least quota is 25"


def test_a_full_quota_counts_what_is_there(patient: Patient) -> None:
    patient.answers["service-quotas.GetServiceQuota"] = {"Quota": {"Value": 2.0}}
    there = {"DeliveryStreamNames": ["another"], "HasMoreDeliveryStreams": False}
    patient.answers["firehose.ListDeliveryStreams"] = there  # other tests leave theirs in the emulator
    outcome = patient.not_ok(only="Firehose delivery streams")[OREGON, "Firehose delivery streams"].diagnosis
    needed = len(list(patient.wanted.of_type("AWS::KinesisFirehose::DeliveryStream")))
    assert needed > 2
    assert f"1 of 2 are used, {needed} more are needed" in outcome.text
    assert f"--service-code firehose --quota-code L-14BB0BE7 --desired-value {needed + 1}" in outcome.remedy


def test_a_call_that_is_not_allowed_is_not_looked_at_and_hides_nothing(patient: Patient) -> None:
    for operation in ("kinesis.DescribeLimits", "opensearch.ListVersions"):
        patient.answers[operation] = REFUSED
    found = patient.not_ok()
    assert {key for key, finding in found.items() if finding.diagnosis.verdict is Verdict.UNKNOWN} == {
        (TOKYO, "Kinesis streams and shards"),
        (OREGON, "Kinesis streams and shards"),
        (OREGON, "OpenSearch engine"),
    }
    assert "may not call DescribeLimits" in found[TOKYO, "Kinesis streams and shards"].diagnosis.text
    assert exit_code([*found.values()]) == 2


def test_an_answer_of_another_shape_is_not_taken_for_health(patient: Patient) -> None:
    patient.answers["opensearch.DescribeInstanceTypeLimits"] = {"LimitsByRole": {}}
    outcome = patient.not_ok(only="OpenSearch limits")[OREGON, "OpenSearch limits"].diagnosis
    assert outcome.verdict is Verdict.UNKNOWN
    assert "not understood" in outcome.text


def test_credentials_of_another_account_stop_at_that(patient: Patient) -> None:
    patient.answers["sts.GetCallerIdentity"] = {
        "Account": "111111111111",
        "Arn": "arn:aws:iam::111111111111:root",
    }
    found = patient.not_ok()
    assert set(found) == {("account", "credentials"), ("account", "everything else")}
    assert "are of account 111111111111" in found["account", "credentials"].diagnosis.text
    assert exit_code([*found.values()]) == 1


def test_credentials_that_have_ended_are_told_to_be_renewed(patient: Patient) -> None:
    patient.answers["sts.GetCallerIdentity"] = {"Error": {"Code": "ExpiredToken", "Message": "expired"}}
    outcome = patient.not_ok()["account", "credentials"].diagnosis
    assert outcome.verdict is Verdict.LACKS
    assert "aws sso login" in outcome.remedy


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "There are no credentials."),
        ({"AWS_PROFILE": "nobody"}, "profile (nobody)"),
        ({"AWS_ACCESS_KEY_ID": "alone"}, "Partial credentials"),
    ],
)
def test_without_credentials_the_machine_is_still_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(command.app, ["--environment", "production", "--json"])
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    by_check = {finding["check"]: finding for finding in told["findings"]}
    assert by_check["Node"]["verdict"] == "ok"
    assert said in by_check["credentials"]["text"]
    assert by_check["everything else"]["verdict"] == "unknown"


def test_a_region_that_is_not_enabled_is_not_taken_for_credentials_that_have_ended(patient: Patient) -> None:
    not_known = {"Error": {"Code": "UnrecognizedClientException", "Message": "The security token is invalid"}}
    patient.answers["kinesis.DescribeLimits"] = not_known
    outcome = patient.not_ok(only="Kinesis streams and shards")[TOKYO, "Kinesis streams and shards"].diagnosis
    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.text.startswith(f"{TOKYO} does not know the credentials")
    assert outcome.remedy.startswith("Enable the region, if its check `region` says so")


def test_a_synthesis_that_is_refused_is_a_finding(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> None:
        raise RuntimeError("a rule says no")

    monkeypatch.setattr(command, "wanted", refused)
    [credentials, templates] = command.examine(patient.settings, patient.aws)
    assert credentials.diagnosis.verdict is Verdict.OK
    assert templates.diagnosis.verdict is Verdict.LACKS
    assert "a rule says no" in templates.diagnosis.text
    assert f"make synth ENVIRONMENT={patient.settings.environment}" in templates.diagnosis.remedy


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ProxyConnectionError(proxy_url="http://127.0.0.1:9"), "Look whether this machine reaches AWS"),
        (
            SSLError(endpoint_url="https://sts", error=OSError("self-signed")),
            "Look whether this machine reaches AWS",
        ),
        (ConnectionClosedError(endpoint_url="https://sts"), "Look whether this machine reaches AWS"),
        (PermissionError("no permission to read the jar"), "Mend that on this machine"),
        (subprocess.TimeoutExpired("bash", 30), "Mend that on this machine"),
        (AttributeError("a fault of the doctor"), "Look at it by hand"),
    ],
)
def test_a_check_that_fails_hides_no_other_whatever_it_fails_of(error: Exception, remedy: str) -> None:
    def fails() -> list[Diagnosis]:
        raise error

    failed, after = run(
        [
            Check(name="fails", where="machine", look=fails),
            Check(name="after", where="machine", look=lambda: [ok("fine")]),
        ]
    )
    assert failed.diagnosis.verdict is Verdict.UNKNOWN
    assert failed.diagnosis.remedy.startswith(remedy)
    assert after.diagnosis.verdict is Verdict.OK


def test_an_environment_that_cannot_be_used_is_a_finding() -> None:
    answer = CliRunner().invoke(command.app, ["--environment", "nowhere"])
    assert answer.exit_code == 1
    assert "There is no environment 'nowhere'" in answer.stdout
    assert "Correct the file" not in answer.stdout
    assert "application jar" in answer.stdout


def test_nothing_answers_is_not_looked_at(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    found = command.examine(patient.settings, Aws(), patient.wanted)
    assert {finding.diagnosis.verdict for finding in found} == {Verdict.UNKNOWN}
    assert "Look whether this machine reaches AWS" in found[0].diagnosis.remedy


def test_the_command_reads_the_emulated_account_as_it_is(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the SDK's own chain of credentials; what the emulator has no answer to is not looked at."""
    monkeypatch.setattr(command, "load", lambda _: patient.settings)
    monkeypatch.setattr(command, "wanted", lambda _: patient.wanted)
    answer = CliRunner().invoke(command.app, ["--environment", "patient", "--json"])
    by_check = {
        (finding["where"], finding["check"]): finding["verdict"]
        for finding in json.loads(answer.stdout)["findings"]
    }
    assert by_check["account", "credentials"] == "ok"
    assert by_check[OREGON, "bootstrap"] == "ok"
    assert by_check[OREGON, "Kinesis streams and shards"] == "unknown"
    assert by_check[OREGON, "OpenSearch engine"] == "lacks"  # the emulator knows 3.5


def test_what_is_told_to_programs_is_what_is_told_to_people(patient: Patient) -> None:
    patient.bootstrap(TOKYO, 5)
    findings = patient.findings()
    text, told = as_text(findings), as_json("patient", findings)
    assert told["exit_code"] == 1
    assert all(finding["text"] in text and finding["remedy"] in text for finding in told["findings"])
    assert text.endswith("1 lacking, 0 not looked at, 0 to think about, " + f"{len(findings) - 1} fine")
