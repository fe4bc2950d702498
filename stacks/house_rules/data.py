"""Data goes only with two keys: `allow_destroy` in the settings and `-c destroy=yes` at the command line."""

from collections.abc import Iterator

from stacks.house_rules.assembly import CheckedAssembly
from stacks.house_rules.rule import HouseRule, Violation

HOLDS_DATA = {
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::EFS::FileSystem",
    "AWS::Elasticsearch::Domain",
    "AWS::Kinesis::Stream",
    "AWS::KMS::Key",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
}
KEEPS = {"Retain", "RetainExceptOnCreate", "Snapshot"}
EMPTIES_A_BUCKET = "Custom::S3AutoDeleteObjects"


def rule(*, both_keys_turned: bool) -> HouseRule:
    """both_keys_turned: data may go with its stack, and nothing is found."""

    def check(assembly: CheckedAssembly) -> Iterator[Violation]:
        if both_keys_turned:
            return
        for resource in assembly.of_type(*sorted(HOLDS_DATA)):
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if resource.body.get(policy) not in KEEPS:
                    yield Violation(on=resource, detail=policy)
        for resource in assembly.of_type(EMPTIES_A_BUCKET):
            yield Violation(on=resource, detail="AutoDeleteObjects")

    return HouseRule(
        id="DataNeedsTwoKeys",
        says="Data could be deleted with one key",
        advice="Apply `retention.removal_policy` (stacks/parts/retention.py) to what holds data.",
        check=check,
        can_be_acknowledged=False,
    )
