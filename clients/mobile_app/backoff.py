"""How many clicks the next call may hold, and how long to wait before it.

A call that was not wholly taken makes the next one later and smaller, so that a stream that takes little is
not sent the same clicks again and again.
"""

import random
from typing import Any

from clients.mobile_app.delivery import MAX_RECORDS_PER_CALL, CallOutcome

FIRST_PAUSE_SECONDS = 0.1


class Backoff:
    """One sender's. Start over from a whole call and no pause with a new one.

    clicks: how many the next call may hold. failures: calls in a row of which something was left.
    """

    def __init__(self, max_clicks: int = MAX_RECORDS_PER_CALL) -> None:
        self._max_clicks = max_clicks
        self.clicks = max_clicks
        self.failures = 0

    def after(self, outcome: CallOutcome[Any]) -> None:
        """After a call, of which all was taken: twice as many, at once. Some: as many as were taken. None:
        half as many, or the same if it never left the device.
        """
        if not outcome.left:
            self.failures = 0
            self.clicks = min(self._max_clicks, self.clicks * 2)
            return
        self.failures += 1
        if outcome.taken:
            self.clicks = min(self.clicks, len(outcome.taken))
        elif outcome.sent:
            self.clicks = max(1, min(self.clicks, len(outcome.left)) // 2)

    def pause_seconds(self, longest: float) -> float:
        """Before the next call. Full jitter: anything up to a bound that doubles with each failure."""
        if not self.failures:
            return 0.0
        return random.uniform(0, min(longest, FIRST_PAUSE_SECONDS * 2 ** min(self.failures, 16)))
