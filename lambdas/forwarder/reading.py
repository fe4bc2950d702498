"""Read a record, and refuse one that would cost far more than its bytes: guests may send anything.

Each unit of a record can become a dead letter here, or a reject in Oregon that Firehose bills as 5 KB.
"""

from itertools import islice

from contract.click import Click, Unread, units

MAX_CLICKS = 5_000
"""A record of 1 MiB holds that many clicks of 210 bytes each."""
BYTES_A_CLICK = 60
"""The smallest click that can count has 65: one-digit numbers as ids and epoch seconds of today."""

# Reasons
TOO_MANY_CLICKS = "too_many_clicks"
TOO_DENSE = "too_dense"
UNPARSEABLE = "unparseable"
"""The rest of a line from where a value begins that the contract does not read."""


class RefusedRecordError(Exception):
    """A record of which nothing is forwarded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def units_of(record: bytes) -> list[Click | Unread]:
    """What the contract finds in a record, in order; it reads no further than the limits.

    Raises RefusedRecordError for more than MAX_CLICKS, or fewer than BYTES_A_CLICK for each after the first.
    """
    dense = 1 + len(record) // BYTES_A_CLICK
    most = min(MAX_CLICKS, dense)
    found = list(islice(units(record), most + 1))
    if len(found) > most:
        raise RefusedRecordError(TOO_DENSE if most == dense else TOO_MANY_CLICKS)
    return found
