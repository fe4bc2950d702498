"""Which past version of the segments an upload may correct, and under which key its content then stands.

A published version never changes, as the application may have counted with it. Its correction is another
object, which only replays and corrections of counts read, in place of the version.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from contract.segment_rows import Reason
from contract.segments import RefusedSegments
from contract.segments_receipt import read_time, written_time
from lambdas.segments_publisher.storage import Storage
from names import segments_corrections_prefix


def version_to_correct(wanted: str | None, versions: Sequence[float], *, now: float) -> float | None:
    """Its valid_from. Raises RefusedSegments.

    wanted: as versions are named, None if none is; versions: valid_from of each, in order; in epoch seconds.
    The next version must hold: while the application still joins clicks with the faulty one, their counts
    would stand under both.
    """
    if wanted is None:
        return None
    try:
        valid_from = read_time(wanted)
    except ValueError:
        raise _refused(f"{wanted!a} is no valid_from: give one as click-trends versions lists it") from None
    if valid_from not in versions:
        raise _refused(f"no version holds from {wanted}: click-trends versions lists them")
    following = [other for other in versions if other > valid_from]
    if not following or following[0] > now:
        until = f"from {written_time(following[0])} on" if following else "once it is published"
        raise _refused(
            f"the version of {wanted} is not over: publish the right segments for the clicks to come first, "
            f"and the correction when they hold, {until}"
        )
    return valid_from


def next_key(storage: Storage, valid_from: float) -> str:
    prefix = segments_corrections_prefix(datetime.fromtimestamp(valid_from, UTC))
    return f"{prefix}{sum(1 for _ in storage.listed(prefix)) + 1:04}.csv"


def _refused(text: str) -> RefusedSegments:
    return RefusedSegments([Reason(None, text)], 1)
