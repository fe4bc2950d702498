"""The table of rankings: what web servers show each kind of reader (docs/operate/feedback.md)."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from contract.ranking import EXPIRES_AT, KEY
from stacks.constructs.retention import Retention


class TrendingTable(dynamodb.Table):
    """An item a segment. Encrypted with the key of DynamoDB itself, which costs nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, table_name: str, retention: Retention) -> None:
        super().__init__(
            scope,
            construct_id,
            table_name=table_name,
            partition_key=dynamodb.Attribute(name=KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=EXPIRES_AT,
            removal_policy=retention.removal_policy,
        )
