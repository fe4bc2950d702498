"""One drill: a fault in a running twin, until all is well and every click is accounted for."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.error import URLError

from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.errors import TrendsError
from clients.batch_server.text import age_text
from twin.drills.fault import Fault
from twin.drills.repetition import repeated_clicks
from twin.drills.run import DrilledRun
from twin.ended import ended
from twin.processes import TwinError, wait_for
from twin.screen import Picture, alarm_lines

Say = Callable[[str], None]
_NO_ANSWER = (OSError, BotoCoreError, ClientError, TrendsError)

COMMAND_TIMEOUT_SECONDS = 600.0
"""How long a command of the run-book may take."""
PRACTISE_TIMEOUT_SECONDS = 3600.0
"""How long whoever practises may take, who also waits for the alarm: docs/reference/alarm_faults.md."""
LONG_SECONDS = 600.0
"""Of a fault that shows in its alarm."""
WELL_TIMEOUT_SECONDS = 600.0
"""Redelivery's schedule, a start of Flink, and a busy machine."""
SAID_EVERY_SECONDS = 15.0
"""Of what a drill waits for."""


def drill(
    fault: Fault, run: DrilledRun, say: Say, *, solve: bool = False, lasts_seconds: float | None = None
) -> None:
    """Cause the fault and wait for its end. solve: give the run-book's command too, instead of waiting for
    somebody who does. lasts_seconds: instead of the fault's own.

    Raises TwinError if it does not end, or clicks are missing: the message says what was seen.
    """
    began = time.monotonic()
    if (before := _problem(run)) is not None:
        say(f"not well before the fault: {before}")
    say(f"{fault.name}: {fault.what}")
    with _said_of(run, f"{fault.name} is not caused, or in part"):
        undo = fault.cause(run)
    say(f"to be seen: {fault.seen}")
    if fault.runbook is not None:
        say(f"to be read: docs/operate/runbook.md, {fault.runbook}")
    if undo is not None:
        lasts = fault.lasts_seconds if lasts_seconds is None else lasts_seconds
        more = "" if lasts >= LONG_SECONDS else "; an alarm takes minutes: LASTS=600 keeps it for longer"
        say(f"it lasts {lasts:.0f} s{more}")
        _pass(lasts, run)
        with _said_of(run, f"{fault.name} is not undone and goes on"):
            _end(undo, run, say)
        say(f"undone after {lasts:.0f} s, as the service would")
    elif lasts_seconds is not None:
        say("LASTS changes nothing: the passing of time does not undo this fault")
    if fault.command is not None:
        timeout = COMMAND_TIMEOUT_SECONDS if solve else PRACTISE_TIMEOUT_SECONDS
        with _said_of(run, f"{fault.name} goes on; its command is not known"):
            command = fault.command(run.twin)
        within = f"within {timeout / 60:.0f} minutes"
        say(f"{'giving' if solve else f'give, {within},'} the run-book's command:\n  {command}")
        if solve:
            give(command, run)
        wait_for(
            lambda: _goes_on(fault, run) is None,
            what="the run-book's command carried out",
            timeout_seconds=timeout,
            poll_seconds=1.0,
            seen=lambda: str(_goes_on(fault, run)),
        )
    wait_for(
        _none_of(lambda: _problem(run), say),
        what="all parts well",
        timeout_seconds=WELL_TIMEOUT_SECONDS,
        poll_seconds=1.0,
        seen=lambda: str(_problem(run)),
    )
    say(f"all parts are well {_since(began)} after the fault")
    for line in alarm_lines(run.picture().alarms):
        say(line)
    say("no more clicks are sent until every one is accounted for")
    with run.hold_traffic():
        say(settled(run, say))


@contextmanager
def _said_of(run: DrilledRun, what: str) -> Iterator[None]:
    """Raises TwinError in place of what a part raises that does not answer."""
    try:
        yield
    except _NO_ANSWER as error:
        _check_nothing_is_lost(run)
        raise TwinError(f"{what}: {error}") from error


def _check_nothing_is_lost(run: DrilledRun) -> None:
    """Raises TwinError if a part has ended that cannot be started again: nothing ends well then."""
    for part in ended(run.twin.parts()):
        if not part.can_start:
            raise TwinError(f"the drill ends: {part.told}")


def _pass(seconds: float, run: DrilledRun) -> None:
    """Let the fault last."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        _check_nothing_is_lost(run)
        time.sleep(min(left, 1.0))


def _goes_on(fault: Fault, run: DrilledRun) -> str | None:
    """None if the fault is over; another part may be away meanwhile."""
    _check_nothing_is_lost(run)
    try:
        return None if fault.over(run.twin) else "the fault goes on until it is"
    except _NO_ANSWER as error:
        return f"whether the fault is over is not known: {error}"


def _end(undo: Callable[[], None], run: DrilledRun, say: Say) -> None:
    """Undo a fault, also where the part of which that is asked has ended and must be started again first."""

    def problem() -> str | None:
        _check_nothing_is_lost(run)
        try:
            undo()
        except URLError as error:
            return f"the fault cannot be undone: {error}"
        return None

    wait_for(
        _none_of(problem, say),
        what="the fault undone",
        timeout_seconds=PRACTISE_TIMEOUT_SECONDS,
        poll_seconds=1.0,
        seen=lambda: "it goes on",
    )


def _none_of(found: Callable[[], str | None], say: Say) -> Callable[[], bool]:
    """Whether nothing is found any more. What is found is said, if it is another than before, once in
    SAID_EVERY_SECONDS at most."""
    said, said_at = None, float("-inf")

    def nothing() -> bool:
        nonlocal said, said_at
        now = found()
        if now not in (None, said) and time.monotonic() - said_at >= SAID_EVERY_SECONDS:
            say(f"not yet: {now}")
            said, said_at = now, time.monotonic()
        return now is None

    return nothing


def _problem(run: DrilledRun) -> str | None:
    _check_nothing_is_lost(run)
    for part in ended(run.twin.parts()):
        return part.told
    return next(iter(run.picture().problems), None)


def settled(run: DrilledRun, say: Say = lambda _: None) -> str:
    """Wait until every click sent is counted or rejected, while the caller holds the traffic. Returns the sum
    as a sentence. Clicks that the source stream holds twice may be counted twice.

    Raises TwinError after WELL_TIMEOUT_SECONDS with the numbers.
    """

    def problem() -> str | None:
        _check_nothing_is_lost(run)
        return None if _is_accounted_for(run) else _sum(run)

    wait_for(
        _none_of(problem, say),
        what="every click accounted for",
        timeout_seconds=WELL_TIMEOUT_SECONDS,
        poll_seconds=0.5,
        seen=lambda: _sum(run),
    )
    return f"every click is accounted for: {_sum(run)}"


def _is_accounted_for(run: DrilledRun) -> bool:
    picture = run.picture()
    if picture.is_settled:
        return True
    surplus = _surplus(picture)
    return surplus > 0 and surplus == repeated_clicks(run.twin)


def _surplus(picture: Picture) -> int:
    """By how many more clicks are accounted for than were sent; 0 if that is not known."""
    if picture.counted is None or picture.read_seconds_ago is not None:
        return 0
    return picture.counted + picture.rejected + picture.unparseable - picture.sent


def _sum(run: DrilledRun) -> str:
    picture = run.picture()
    counted = "not known" if picture.counted is None else f"{picture.counted:,}"
    surplus = _surplus(picture)
    more = f"; {surplus:,} more than sent" if surplus > 0 else ""
    return (
        f"sent {picture.sent:,}; counted {counted}, rejected {picture.rejected:,}, "
        f"unparseable {picture.unparseable:,}{more}"
    )


def _since(began: float) -> str:
    return age_text(timedelta(seconds=time.monotonic() - began))


def give(command: str, run: DrilledRun) -> None:
    """A command of the run-book, in a shell with the environment file of this twin. Raises TwinError."""
    file = run.twin.write_reader_environment()
    done = subprocess.run(
        ["bash", "-c", f'. "$1" && {command}', "bash", str(file)],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise TwinError(f"the run-book's command failed: {command}\n{done.stderr.strip()}")
