"""Who can newly do what: permissions are compared, not the text of policies."""

import json
from typing import Any

import pytest

from operations.review.access import access_findings, policy_values
from operations.review.assembly import Assembly
from operations.review.differences import differences
from operations.review.exposure import exposure_findings
from operations.review.findings import Finding, Kind
from tests.operations.review.small_assemblies import allow, assembly, one, resource, role, stack

STREAM = "arn:aws:kinesis:us-west-2:111111111111:stream/clicks"
OBJECTS = "arn:aws:s3:::a-bucket/raw/*"


def found(old: Assembly, new: Assembly) -> list[Finding]:
    changes = differences(old, new)
    return [*exposure_findings(changes), *access_findings(changes)]


def of_roles(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Finding]:
    return found(one({"Role": role("reader", *old)}), one({"Role": role("reader", *new)}))


def test_a_new_right_names_who_what_and_where() -> None:
    (finding,) = of_roles([], [allow("kinesis:PutRecords", STREAM)])
    assert finding.kind is Kind.ACCESS
    assert all(part in finding.text for part in ("role `reader`", "may now", "kinesis:PutRecords", STREAM))


def test_a_policy_that_is_written_differently_gives_the_same_permissions() -> None:
    old = [allow(["kinesis:PutRecord", "kinesis:PutRecords"], [STREAM])]
    new = [allow("kinesis:PutRecords", STREAM), allow(["kinesis:PutRecord"], STREAM, Sid="Another")]
    (finding,) = of_roles(old, new)
    assert finding.kind is Kind.NOTE
    assert "gives the same permissions" in finding.text


def test_what_a_wildcard_allowed_before_is_not_new() -> None:
    (finding,) = of_roles([allow("s3:*", "*")], [allow("s3:GetObject", OBJECTS)])
    assert finding.kind is Kind.NOT_ASSESSED
    assert "may no longer `s3:*`" in finding.text


@pytest.mark.parametrize(
    "statement",
    [
        allow("kinesis:*", STREAM),
        allow("kinesis:PutRecords", "*"),
        allow("kinesis:PutRecords", "arn:aws:kinesis:us-west-2:111111111111:stream/*"),
        allow("kinesis:PutRecords", "arn:aws:kinesis:us-west-2:111111111111:stream/click*"),
        allow("s3:GetObject", "arn:aws:s3:::*"),
        allow("s3:GetObject", "arn:aws:s3:::a-bucket*"),
        allow("logs:PutLogEvents", "arn:aws:logs:us-west-2:111111111111:log-group:*"),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": STREAM},
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": OBJECTS},
    ],
    ids=str,
)
def test_a_right_on_more_than_what_is_named_is_a_wildcard(statement: dict[str, Any]) -> None:
    (finding,) = of_roles([], [statement])
    assert finding.kind is Kind.WILDCARD


@pytest.mark.parametrize(
    "target",
    [
        OBJECTS,
        "arn:aws:s3:::a-bucket/*",
        "arn:aws:es:us-west-2:111111111111:domain/counts/*",
        "arn:aws:logs:us-west-2:111111111111:log-group:/aws/lambda/f:log-stream:*",
    ],
)
def test_everything_in_one_named_resource_is_no_wildcard(target: str) -> None:
    (finding,) = of_roles([], [allow("s3:GetObject", target)])
    assert finding.kind is Kind.ACCESS


def test_a_managed_policy_is_a_wildcard() -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    (finding,) = found(one({"R": role("r")}), one({"R": role("r", ManagedPolicyArns=[arn])}))
    assert finding.kind is Kind.WILDCARD
    assert "AdministratorAccess" in finding.text


def test_a_denial_that_is_gone_widens_access() -> None:
    denied = {**allow("es:ESHttpPost", STREAM), "Effect": "Deny"}
    (finding,) = of_roles([denied], [])
    assert finding.kind is Kind.ACCESS
    assert "no longer denied" in finding.text


def test_a_condition_that_is_gone_widens_access_and_is_told() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "111111111111"}}
    (finding,) = of_roles(
        [allow("kinesis:PutRecords", STREAM, Condition=condition)], [allow("kinesis:PutRecords", STREAM)]
    )
    assert finding.kind is Kind.ACCESS
    assert "Its condition was: `aws:SourceAccount` is `111111111111`" in finding.details[0]


def test_a_condition_that_is_added_only_narrows() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "111111111111"}}
    findings = of_roles(
        [allow("kinesis:PutRecords", STREAM)], [allow("kinesis:PutRecords", STREAM, Condition=condition)]
    )
    assert {finding.kind for finding in findings} == {Kind.NOT_ASSESSED}


def test_another_trusted_account_is_told() -> None:
    (finding,) = found(
        one({"R": role("r", trust={"AWS": "arn:aws:iam::111111111111:root"})}),
        one(
            {
                "R": role(
                    "r", trust={"AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::000000000000:root"]}
                )
            }
        ),
    )
    assert "principal `arn:aws:iam::000000000000:root` may now assume the role `r`" in finding.text


def test_a_role_that_anyone_may_assume_is_public() -> None:
    (finding,) = found(one({"R": role("r")}), one({"R": role("r", trust={"AWS": "*"})}))[:1]
    assert finding.kind is Kind.PUBLIC


def test_a_bucket_policy_for_everyone_is_public() -> None:
    def policy(*statements: dict[str, Any]) -> Assembly:
        document = {"Statement": list(statements)}
        return one({"P": resource("AWS::S3::BucketPolicy", Bucket="a-bucket", PolicyDocument=document)})

    (finding,) = found(policy(), policy(allow("s3:GetObject", OBJECTS, Principal="*")))
    assert finding.kind is Kind.PUBLIC
    assert "Anyone may now `s3:GetObject`" in finding.text


def test_a_policy_in_a_type_that_nobody_foresaw_is_read_too() -> None:
    def stranger(*statements: dict[str, Any]) -> Assembly:
        return one(
            {"S": resource("AWS::Strange::Thing", Settings={"Rules": {"Statement": list(statements)}})}
        )

    (finding,) = found(stranger(), stranger(allow("strange:Look", "*", Principal={"AWS": "*"})))
    assert finding.kind is Kind.PUBLIC


def test_a_bucket_that_may_be_made_public_is_told() -> None:
    def bucket(**blocks: bool) -> Assembly:
        return one({"B": resource("AWS::S3::Bucket", PublicAccessBlockConfiguration=blocks)})

    closed = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    (finding,) = found(bucket(**closed), bucket(**{**closed, "BlockPublicPolicy": False}))
    assert finding.kind is Kind.PUBLIC


def test_a_new_bucket_without_a_block_is_held_to_it_too() -> None:
    findings = found(one({}), one({"B": resource("AWS::S3::Bucket", BucketName="open")}))
    assert Kind.PUBLIC in {finding.kind for finding in findings}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("AWS::Kinesis::Stream", {"StreamEncryption": {"KeyId": "alias/aws/kinesis"}}, {}),
        (
            "AWS::OpenSearchService::Domain",
            {"EncryptionAtRestOptions": {"Enabled": True}},
            {"EncryptionAtRestOptions": {"Enabled": False}},
        ),
        (
            "AWS::OpenSearchService::Domain",
            {"DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "new"}},
            {"DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "old"}},
        ),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": True}, {"SqsManagedSseEnabled": False}),
    ],
)
def test_encryption_that_goes_or_changes_is_told(
    kind: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    findings = found(one({"R": resource(kind, **before)}), one({"R": resource(kind, **after)}))
    assert [finding.kind for finding in findings] == [Kind.ENCRYPTION]


def test_who_may_call_a_function_is_read_from_its_permission() -> None:
    permission = resource(
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName="f",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:us-west-2:111111111111:rule/r",
    )
    (finding,) = found(one({}), one({"P": permission}))
    assert "The service `events.amazonaws.com` may now `lambda:InvokeFunction` on `f`" in finding.text
    (public,) = found(
        one({}), one({"P": resource("AWS::Lambda::Permission", Action="lambda:*", Principal="*")})
    )
    assert public.kind is Kind.PUBLIC


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (["iam:*", "s3:DeleteObject"], ["iam:*"], Kind.WILDCARD),
        (["iam:*"], ["iam:*", "s3:DeleteObject"], Kind.NOT_ASSESSED),
    ],
    ids=["one exception fewer widens", "one more narrows"],
)
def test_a_right_on_all_but_some_actions_is_wider_with_fewer_exceptions(
    before: list[str], after: list[str], kind: Kind
) -> None:
    def all_but(actions: list[str]) -> list[dict[str, Any]]:
        return [{"Effect": "Allow", "NotAction": actions, "Resource": STREAM}]

    findings = of_roles(all_but(before), all_but(after))
    assert findings[0].kind is kind
    assert {finding.kind for finding in findings} <= {kind, Kind.NOT_ASSESSED, Kind.NOTE}


def test_another_right_that_all_but_some_actions_gave_before_is_not_new() -> None:
    all_but = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert {f.kind for f in of_roles([all_but], [allow("s3:GetObject", OBJECTS)])} == {Kind.NOT_ASSESSED}
    (finding, _) = of_roles([all_but], [allow("iam:PassRole", "*")])
    assert finding.kind is Kind.WILDCARD


def of_domain(statements: list[dict[str, Any]], **more: Any) -> Assembly:
    policy = {"Statement": statements}
    return one(
        {"D": resource("AWS::OpenSearchService::Domain", DomainName="d", AccessPolicies=policy), **more}
    )


def test_a_role_of_the_same_name_in_another_account_is_somebody_else() -> None:
    def of_account(account: str) -> Assembly:
        arn = f"arn:aws:iam::{account}"
        return of_domain(
            [
                allow(
                    "es:ESHttpGet",
                    "arn:aws:es:us-west-2:111111111111:domain/d/*",
                    Principal={"AWS": f"{arn}:root"},
                    Condition={"ArnEquals": {"aws:PrincipalArn": f"{arn}:role/reader"}},
                )
            ]
        )

    (finding, _) = found(of_account("111111111111"), of_account("000000000000"))
    assert finding.kind is Kind.ACCESS
    assert "000000000000" in finding.text


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}},
        {"ArnLike": {"aws:PrincipalArn": "*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}},
        {"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}},
        {"Bool": {"aws:SecureTransport": "true"}},
    ],
    ids=str,
)
def test_a_condition_that_keeps_nobody_out_leaves_a_policy_public(condition: dict[str, Any]) -> None:
    statement = allow("es:ESHttpGet", OBJECTS, Principal={"AWS": "*"}, Condition=condition)
    (finding,) = found(of_domain([]), of_domain([statement]))
    assert finding.kind is Kind.PUBLIC


def test_a_policy_for_everyone_but_some_is_public() -> None:
    statement = {**allow("es:ESHttpGet", OBJECTS), "NotPrincipal": {"AWS": "arn:aws:iam::000000000000:root"}}
    (finding,) = found(of_domain([]), of_domain([statement]))
    assert finding.kind is Kind.PUBLIC
    assert "Anyone but" in finding.text


def test_an_organisation_that_a_permission_no_longer_asks_for_is_told() -> None:
    def permission(**more: str) -> Assembly:
        return one(
            {"P": resource("AWS::Lambda::Permission", Action="a:b", FunctionName="f", Principal="*", **more)}
        )

    findings = found(permission(PrincipalOrgID="o-1"), permission())
    assert findings[0].kind is Kind.PUBLIC


def test_a_policy_that_is_written_as_a_text_is_read() -> None:
    def of(principal: Any) -> Assembly:
        text = json.dumps({"Statement": [allow("logs:PutLogEvents", "*", Principal=principal)]})
        return one({"P": resource("AWS::Logs::ResourcePolicy", PolicyName="p", PolicyDocument=text)})

    (finding,) = found(of({"Service": "es.amazonaws.com"}), of("*"))
    assert finding.kind is Kind.PUBLIC


def test_a_policy_that_cannot_be_read_is_no_policy_that_was_spoken_of() -> None:
    def of(parameter: str) -> Assembly:
        return one({"P": resource("AWS::Logs::ResourcePolicy", PolicyDocument={"Ref": parameter})})

    changes = differences(of("One"), of("Two"))
    assert list(access_findings(changes)) == []
    assert policy_values(changes) == ()


def test_a_denial_that_another_policy_still_says_is_told() -> None:
    denied = {**allow("es:ESHttpPost", OBJECTS), "Effect": "Deny"}
    own = {"Role": role("reader", denied)}
    arn = "arn:aws:iam::111111111111:role/reader"
    same = {**denied, "Principal": "*", "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}}
    (finding,) = found(of_domain([same], **own), of_domain([], **own))
    assert finding.kind is Kind.NOTE
    assert "search domain `d` no longer says, but another policy still does" in finding.text


def test_a_question_mark_in_a_resource_is_a_wildcard() -> None:
    (finding,) = of_roles([], [allow("s3:GetObject", "arn:aws:s3:::a-bucke?/raw")])
    assert finding.kind is Kind.WILDCARD


def test_a_stack_that_no_deployment_deletes_keeps_its_permissions() -> None:
    kept = stack("OregonStorage", {})
    old = assembly(kept, stack("Old", {"Role": role("reader", allow("kinesis:PutRecords", STREAM))}))
    assert found(old, assembly(kept)) == []
