"""The table of rankings in DynamoDB. An older ranking never overwrites a newer one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from contract.event_time import format_time
from contract.ranking import COMPUTED_AT, COUNTED_UNTIL, RankingError, ServedRanking
from lambdas.feedback.rankings import trusted_until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REQUESTS_IN_FLIGHT = 16
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 2, 3
BACK_OFF_SECONDS = 2**ATTEMPTS / 2 - 1
"""The longest sum of botocore's pauses between attempts: 1 s, then 2 s, ..."""
MAX_REQUEST_SECONDS = ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + BACK_OFF_SECONDS
"""Duration of a request if no attempt is answered in time."""
CLIENT_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    max_pool_connections=REQUESTS_IN_FLIGHT,
    # Throttled, timed out, 5xx: botocore retries with back-off and jitter.
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
)

# Times in the contract's form compare as text. The newest publication decides; for the same publication, the
# function's clock. `<=`: a put that botocore retries after a lost answer finds its own item. An item from the
# future, or without this attribute, may be replaced.
_NOT_NEWER = (
    "attribute_not_exists(#counted) OR NOT attribute_type(#counted, :text) OR #counted < :counted "
    "OR (#counted = :counted AND #computed <= :computed) OR #counted > :trusted"
)
_SAME = "#counted = :counted AND #computed = :computed"
_ATTRIBUTES = {"#counted": COUNTED_UNTIL, "#computed": COMPUTED_AT}


class RankingTable:
    """May be used by several threads."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name
        self._serializer, self._deserializer = TypeSerializer(), TypeDeserializer()

    def stored(self) -> tuple[dict[str, ServedRanking], list[str]]:
        """Rankings by key, and the problems of items that are not rankings."""
        found: dict[str, ServedRanking] = {}
        problems = []
        for item in self._items():
            try:
                ranking = ServedRanking.from_item(item)
                found[ranking.segment] = ranking
            except RankingError as error:
                problems.append(str(error))
        return found, problems

    def _items(self) -> Iterator[dict[str, Any]]:
        # Consistent: another run's latest write must be seen.
        for page in self._client.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: self._deserializer.deserialize(value) for name, value in item.items()}

    def put(self, ranking: ServedRanking) -> bool:
        """Returns False if the table has a newer one."""
        return self._put(
            ranking,
            _NOT_NEWER,
            {":trusted": format_time(trusted_until(ranking.computed_at)), ":text": "S"},
        )

    def keep(self, ranking: ServedRanking) -> bool:
        """Write a stored ranking with another `expires_at`. Returns False if it was replaced since."""
        return self._put(ranking, _SAME, {})

    def _put(self, ranking: ServedRanking, condition: str, values: dict[str, str]) -> bool:
        values = {
            ":counted": format_time(ranking.counted_until),
            ":computed": format_time(ranking.computed_at),
            **values,
        }
        try:
            self._client.put_item(
                TableName=self._name,
                Item={name: self._serializer.serialize(value) for name, value in ranking.as_item().items()},
                ConditionExpression=condition,
                ExpressionAttributeNames=_ATTRIBUTES,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
