"""A reader's app may put clicks with the credentials that Cognito vends to it, and nothing else."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import AuthorizationException

from clients.mobile_app import ClickQueue, MobileClient
from clients.mobile_app.delivery import CLIENT_CONFIG
from contract.count import WINDOW
from contract.sink import CLICK_COUNTS
from names import OREGON, SEGMENTS_PREFIX, TOKYO
from tests.end_to_end.conftest import A_DAY, INDICES, Pipeline, as_record, click

RECORD = {"Data": b"{}\n", "PartitionKey": "hanako"}
ARTICLE = "by-app"

Call = Callable[[], Any]


class Calls:
    """Clients of every service, signed with the app's credentials or unsigned."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.app = pipeline.twin.mobile_app
        self._endpoint = pipeline.twin.emulator.endpoint
        self._session: Any = self.app.session()

    def client(self, service: str, region: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return self._session.client(service, region_name=region, endpoint_url=self._endpoint, config=config)

    def search(self, url: str) -> OpenSearch:
        auth = Urllib3AWSV4SignerAuth(self._session.get_credentials(), OREGON, "es")
        return OpenSearch(hosts=[url], http_auth=auth, max_retries=0)

    def unsigned(self, service: str) -> Any:
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        clients: Any = boto3
        return clients.client(service, region_name=TOKYO, endpoint_url=self._endpoint, config=config)


@pytest.fixture(scope="module")
def calls(pipeline: Pipeline) -> Calls:
    return Calls(pipeline)


def test_a_click_put_by_the_reference_client_is_counted(pipeline: Pipeline) -> None:
    stream = pipeline.twin.mobile_app.stream(CLIENT_CONFIG)
    client = MobileClient(stream, ClickQueue(None), flush_seconds=0.1)
    at = datetime.now(UTC)
    for position in range(3):
        client.click("hanako", f"{ARTICLE}-many", platform="ios", position=position)
    status = client.close(deadline_seconds=30)
    assert (status.sent, status.waiting, status.problem) == (3, 0, None)
    pipeline.wait_until(lambda: pipeline.clicks_counted(f"{ARTICLE}-many") == 3, "the app's clicks")
    for minute, _, *segment in pipeline.count_documents(f"{ARTICLE}-many"):
        assert segment == ["female", "20s", "tokyo"]
        assert abs(datetime.fromisoformat(minute) - at) < timedelta(minutes=1) + WINDOW


def test_a_click_put_alone_is_counted_too(calls: Calls, pipeline: Pipeline) -> None:
    alone = click(1, article_id=f"{ARTICLE}-alone", clicked_at=datetime.now(UTC))
    calls.client("kinesis", TOKYO).put_record(
        StreamName=pipeline.twin.names.mobile_stream, Data=as_record(alone), PartitionKey="hanako"
    )
    pipeline.wait_until(lambda: pipeline.clicks_counted(f"{ARTICLE}-alone") == 1, "the click put alone")


def forbidden(calls: Calls, pipeline: Pipeline) -> dict[str, Call]:
    names, app = pipeline.twin.names, calls.app
    tokyo, oregon = calls.client("kinesis", TOKYO), calls.client("kinesis", OREGON)
    s3, sts, iam = calls.client("s3", OREGON), calls.client("sts", TOKYO), calls.client("iam", TOKYO)
    accounts, identities = calls.client("cognito-idp", TOKYO), calls.client("cognito-identity", TOKYO)
    s3_tokyo = calls.client("s3", TOKYO)
    firehose, lambda_ = calls.client("firehose", OREGON), calls.client("lambda", TOKYO)
    mobile = names.mobile_stream
    shard = pipeline.twin.emulator.client("kinesis", TOKYO).list_shards(StreamName=mobile)["Shards"][0]
    iterator = pipeline.twin.emulator.client("kinesis", TOKYO).get_shard_iterator(
        StreamName=mobile, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return {
        "describe its stream": lambda: tokyo.describe_stream(StreamName=mobile),
        "summarise its stream": lambda: tokyo.describe_stream_summary(StreamName=mobile),
        "list its stream's shards": lambda: tokyo.list_shards(StreamName=mobile),
        "list streams": tokyo.list_streams,
        "find a place in its stream": lambda: tokyo.get_shard_iterator(
            StreamName=mobile, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        ),
        "read its stream": lambda: tokyo.get_records(ShardIterator=iterator),
        "delete its stream": lambda: tokyo.delete_stream(StreamName=mobile),
        "shorten its stream's memory": lambda: tokyo.decrease_stream_retention_period(
            StreamName=mobile, RetentionPeriodHours=24
        ),
        "put into another stream": lambda: tokyo.put_records(StreamName="another", Records=[RECORD]),
        "put into the source stream": lambda: oregon.put_records(
            StreamName=names.source_stream, Records=[RECORD]
        ),
        "put into a stream of its stream's name in Oregon": lambda: oregon.put_records(
            StreamName=mobile, Records=[RECORD]
        ),
        "put counts": lambda: firehose.put_record(
            DeliveryStreamName=names.delivery_stream(CLICK_COUNTS.name), Record={"Data": b"{}\n"}
        ),
        "list buckets": s3.list_buckets,
        "list segments": lambda: s3.list_objects_v2(Bucket=names.segments_bucket),
        "put segments": lambda: s3.put_object(
            Bucket=names.segments_bucket, Key=f"{SEGMENTS_PREFIX}20300101T000000Z.csv", Body=b"x"
        ),
        "read dead letters": lambda: s3_tokyo.list_objects_v2(Bucket=names.dead_letter_bucket),
        "call the forwarder": lambda: lambda_.invoke(FunctionName=names.forwarder, Payload=b"{}"),
        "read the forwarder": lambda: lambda_.get_function(FunctionName=names.forwarder),
        "become the forwarder": lambda: sts.assume_role(
            RoleArn=names.role_arn(names.forwarder), RoleSessionName="app"
        ),
        "become a web server": lambda: sts.assume_role(
            RoleArn=names.role_arn(names.web_server_role), RoleSessionName="app"
        ),
        "become itself for longer": lambda: sts.assume_role(
            RoleArn=names.role_arn(names.mobile_app_role), RoleSessionName="app", DurationSeconds=43_200
        ),
        "widen its role": lambda: iam.put_role_policy(
            RoleName=names.mobile_app_role, PolicyName="More", PolicyDocument="{}"
        ),
        "make an account": lambda: accounts.admin_create_user(UserPoolId=app.user_pool_id, Username="other"),
        "list accounts": lambda: accounts.list_users(UserPoolId=app.user_pool_id),
        "let guests in": lambda: identities.update_identity_pool(
            IdentityPoolId=app.identity_pool_id, IdentityPoolName="x", AllowUnauthenticatedIdentities=True
        ),
        "set the pool's roles": lambda: identities.set_identity_pool_roles(
            IdentityPoolId=app.identity_pool_id,
            Roles={"authenticated": names.role_arn(names.forwarder)},
        ),
        "list identities": lambda: identities.list_identities(
            IdentityPoolId=app.identity_pool_id, MaxResults=10
        ),
        "read logs": calls.client("logs", TOKYO).describe_log_groups,
        "read stacks": calls.client("cloudformation", TOKYO).describe_stacks,
        "list tables": calls.client("dynamodb", TOKYO).list_tables,
    }


def test_every_other_call_tried_is_denied(calls: Calls, pipeline: Pipeline) -> None:
    answered = {}
    for what, call in forbidden(calls, pipeline).items():
        try:
            call()
            answered[what] = "allowed"
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
                answered[what] = str(error)
    assert answered == {}


def test_counts_cannot_be_read_or_written_with_it(calls: Calls, pipeline: Pipeline) -> None:
    search = calls.search(pipeline.twin.emulator.search_endpoint)
    with pytest.raises(AuthorizationException):
        search.search(index=INDICES, body={"size": 0})
    with pytest.raises(AuthorizationException):
        search.index(index=A_DAY, body={"clicks": 1})


def test_the_credentials_are_a_session_of_the_apps_role_for_an_hour(calls: Calls) -> None:
    identity = calls.client("sts", TOKYO).get_caller_identity()["Arn"]
    assert identity.endswith(":assumed-role/click-trends-local-mobile-app/CognitoIdentityCredentials")
    cognito, logins = calls.unsigned("cognito-identity"), calls.app.logins()
    identity_id = cognito.get_id(IdentityPoolId=calls.app.identity_pool_id, Logins=logins)["IdentityId"]
    vended = cognito.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
    assert 0 < (vended["Expiration"] - datetime.now(UTC)).total_seconds() <= 3601


def test_a_guest_gets_neither_an_identity_nor_credentials(calls: Calls) -> None:
    cognito = calls.unsigned("cognito-identity")
    with pytest.raises(ClientError, match="Unauthenticated access is not supported"):
        cognito.get_id(IdentityPoolId=calls.app.identity_pool_id)
    identity_id = cognito.get_id(IdentityPoolId=calls.app.identity_pool_id, Logins=calls.app.logins())[
        "IdentityId"
    ]
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        cognito.get_credentials_for_identity(IdentityId=identity_id)


def test_the_classic_flow_is_refused(calls: Calls, pipeline: Pipeline) -> None:
    cognito, logins = calls.unsigned("cognito-identity"), calls.app.logins()
    identity_id = cognito.get_id(IdentityPoolId=calls.app.identity_pool_id, Logins=logins)["IdentityId"]
    with pytest.raises(ClientError, match=r"classic.*not enabled"):
        cognito.get_open_id_token(IdentityId=identity_id, Logins=logins)
    [id_token] = logins.values()
    with pytest.raises(ClientError, match="AccessDenied"):
        calls.unsigned("sts").assume_role_with_web_identity(
            RoleArn=pipeline.twin.names.role_arn(pipeline.twin.names.mobile_app_role),
            RoleSessionName="app",
            WebIdentityToken=id_token,
        )


def forged(token: str, **claims: object) -> str:
    """The token with other claims under its original signature."""
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps({**said, **claims}).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def test_only_a_genuine_login_of_this_pools_app_gets_an_identity(calls: Calls) -> None:
    cognito, provider = calls.unsigned("cognito-identity"), calls.app.provider
    [genuine] = calls.app.logins().values()
    refused = {
        "another reader": {provider: forged(genuine, sub="somebody-else")},
        "no end": {provider: forged(genuine, exp=4_000_000_000)},
        "no token": {provider: "letmein"},
        "an issuer that the pool does not trust": {"login.example.jp": genuine},
        "another user pool": {f"{provider}x": genuine},
    }
    for logins in refused.values():
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            cognito.get_id(IdentityPoolId=calls.app.identity_pool_id, Logins=logins)
