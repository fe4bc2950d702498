"""The publisher against the emulated S3, whose answers the bucket in memory only imitates."""

import gzip
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.segments_receipt import Receipt, RefusedUpload
from lambdas.segments_publisher.journal import Lease, LeaseLostError
from lambdas.segments_publisher.notifications import Topic
from lambdas.segments_publisher.publisher import Publisher
from lambdas.segments_publisher.storage import Storage
from names import INCOMING_SEGMENTS_PREFIX, OREGON, SEGMENTS_PREFIX, TWIN_ACCOUNT
from tests.lambdas.segments_publisher.uploads import (
    CONFIGURATION,
    ENOUGH_SECONDS,
    NO_ROWS,
    RecordedTopic,
    file_of,
)
from twin.emulator import Emulator

FILE = file_of("a", "b")


@pytest.fixture
def bucket(emulator: Emulator) -> tuple[Any, str]:
    """A client of S3, and a versioned bucket of the test's own."""
    s3, name = emulator.client("s3", OREGON), f"segments-{time.monotonic_ns()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": OREGON})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3, name


def test_uploads_are_published_and_refused_in_the_emulated_s3(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    now = time.time()
    publisher = Publisher(
        CONFIGURATION,
        clock=lambda: now,
        storage=Storage(name, s3),
        topic=RecordedTopic(),  # type: ignore[arg-type]
    )

    def upload(file: str, content: bytes) -> None:
        s3.put_object(Bucket=name, Key=f"{INCOMING_SEGMENTS_PREFIX}{file}", Body=content)

    def keys(prefix: str) -> list[str]:
        return [one["Key"] for one in s3.list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", [])]

    upload("a.csv.gz", b"replaced before it was read")
    upload("a.csv.gz", gzip.compress(FILE))
    assert publisher.run(ENOUGH_SECONDS).published == ["a.csv.gz"]
    [version] = keys(SEGMENTS_PREFIX)
    assert s3.get_object(Bucket=name, Key=version)["Body"].read() == FILE
    receipt = Receipt.from_json(s3.get_object(Bucket=name, Key="receipts/a.csv.gz.json")["Body"].read())
    assert not receipt.late

    upload("a.csv.gz", gzip.compress(FILE))
    upload("b.csv", NO_ROWS)
    now += 200
    outcomes = publisher.run(ENOUGH_SECONDS)
    assert (outcomes.again, outcomes.refused, outcomes.problems) == (["a.csv.gz"], ["b.csv"], [])
    assert s3.get_object(Bucket=name, Key="refused/b.csv")["Body"].read() == NO_ROWS
    reasons = s3.get_object(Bucket=name, Key="refused/b.csv.reasons.json")["Body"].read()
    assert RefusedUpload.from_json(reasons).number == 1
    left = s3.list_object_versions(Bucket=name, Prefix=INCOMING_SEGMENTS_PREFIX)
    assert "Versions" not in left
    assert keys("receipts/") == ["receipts/.journal", "receipts/a.csv.gz.json"]
    assert keys(SEGMENTS_PREFIX) == [version]


def test_a_copy_and_a_journal_are_refused_by_s3_where_another_was_faster(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    storage = Storage(name, s3)
    staging = storage.staging("receipts/.staged/a")
    staging.add(FILE)
    version = staging.finish()
    for number in ("1", "2"):
        copied = storage.copy(
            "receipts/.staged/a", version, "segments/a", metadata={"publication": number}, replaces=False
        )
        assert copied == (number == "1")
    head = storage.head("segments/a")
    assert head
    assert head.metadata == {"publication": "1"}
    storage.delete_up_to("receipts/.staged/a", version)
    assert not storage.copy("receipts/.staged/a", version, "segments/b", metadata={}, replaces=True)
    assert storage.head("segments/b") is None

    first, second = Lease.read(storage), Lease.read(storage)
    assert first.acquire(now=0.0, seconds=1.0)
    assert not second.acquire(now=0.0, seconds=1.0)
    third = Lease.read(storage)
    assert not third.acquire(now=0.5, seconds=1.0)
    assert third.acquire(now=1.0, seconds=1.0)
    with pytest.raises(LeaseLostError):
        first.release()


def test_a_policy_that_spares_a_role_spares_its_sessions(emulator: Emulator, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    arns = [role(emulator, f"{kind}-{name}") for kind in ("spared", "other")]
    denies = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": arns[0]}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denies]}))
    spared, other = (emulator.client_as(arn, "s3", OREGON) for arn in arns)
    spared.put_object(Bucket=name, Key="a", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        other.put_object(Bucket=name, Key="a", Body=b"")


def test_a_refusal_arrives_at_the_topic_and_at_no_other(
    emulator: Emulator, bucket: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, name = bucket
    sns, sqs = emulator.client("sns", OREGON), emulator.client("sqs", OREGON)
    topic, other = (sns.create_topic(Name=f"{kind}-{name}")["TopicArn"] for kind in ("alarms", "other"))
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    delivers = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [delivers]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    tells = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    session = emulator.session_as(role(emulator, f"tells-{name}", tells), OREGON)
    monkeypatch.setattr("lambdas.segments_publisher.notifications.boto3.client", session.client)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    publisher = Publisher(CONFIGURATION, storage=Storage(name, s3), topic=Topic(topic, OREGON))
    s3.put_object(Bucket=name, Key=f"{INCOMING_SEGMENTS_PREFIX}ファイル.csv", Body=NO_ROWS)

    outcomes = publisher.run(ENOUGH_SECONDS)
    assert (outcomes.problems, len(outcomes.refused)) == ([], 1)
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    told = json.loads(message["Body"])
    assert told["Subject"] == "Segments refused: ????.csv"
    assert "ファイル.csv was refused, and the segments stay as they are" in told["Message"]
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        Topic(other, OREGON).tell("a", "b")


S3_WHOLE = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def role(emulator: Emulator, name: str, statement: dict[str, str] = S3_WHOLE) -> str:
    """The ARN of a role with one statement."""
    iam = emulator.client("iam", OREGON)
    trust = {"Effect": "Allow", "Principal": {"AWS": TWIN_ACCOUNT}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    policy = json.dumps({"Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def test_a_missing_bucket_is_a_problem_and_no_traceback(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    publisher = Publisher(CONFIGURATION, storage=Storage(f"{name}-missing", s3))
    outcomes = publisher.run(ENOUGH_SECONDS)
    assert outcomes.problems
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket=f"{name}-missing")
