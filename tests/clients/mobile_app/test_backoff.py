"""How much is put, and when, for a stream that takes all, some or nothing."""

from collections.abc import Callable

import pytest

from clients.mobile_app import backoff
from clients.mobile_app.backoff import Backoff
from clients.mobile_app.click_queue import Waiting
from clients.mobile_app.delivery import CallOutcome


def outcome(taken: int, left: int, *, sent: bool = True) -> CallOutcome[Waiting]:
    return CallOutcome(taken=[Waiting(1, b"", "u")] * taken, left=[Waiting(2, b"", "u")] * left, sent=sent)


def test_pauses_are_random_up_to_a_bound_that_doubles_with_each_call_partly_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.1)
    backoff_of_a_sender = Backoff()
    assert backoff_of_a_sender.pause_seconds(5.0) == 0
    for more, bound in [(1, 0.2), (1, 0.4), (3, 3.2), (1, 5.0), (10_000, 5.0)]:
        for _ in range(more):
            backoff_of_a_sender.after(outcome(taken=1, left=499))
        pauses = [backoff_of_a_sender.pause_seconds(5.0) for _ in range(500)]
        assert 0 <= min(pauses) < 0.1 * bound
        assert 0.9 * bound < max(pauses) <= bound
    backoff_of_a_sender.after(outcome(taken=1, left=0))
    assert backoff_of_a_sender.pause_seconds(5.0) == 0


def test_a_call_holds_what_the_last_one_took_or_twice_that_if_all_was_taken() -> None:
    backoff_of_a_sender = Backoff(100)
    sizes = []
    for taken, left in [(30, 70), (1, 29), (1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (32, 0), (64, 0)]:
        backoff_of_a_sender.after(outcome(taken, left))
        sizes.append(backoff_of_a_sender.clicks)
    assert sizes == [30, 1, 2, 4, 8, 16, 32, 64, 100]


def test_a_call_of_which_nothing_was_taken_is_halved_unless_it_never_left() -> None:
    backoff_of_a_sender = Backoff(5)
    sizes = []
    for sent in (False, True, True, True, True):
        backoff_of_a_sender.after(outcome(taken=0, left=backoff_of_a_sender.clicks, sent=sent))
        sizes.append(backoff_of_a_sender.clicks)
    assert sizes == [5, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("takes", "put_per_taken"),
    [
        (
            lambda size: min(size, 1),
            3,
        ),
        (lambda size: min(size, 10), 3),
        (lambda size: size - size // 3, 2),
        (lambda size: size, 1),
    ],
    ids=["one click a call", "ten clicks a call", "two of three clicks", "all"],
)
def test_few_clicks_are_put_for_each_that_is_taken(takes: Callable[[int], int], put_per_taken: float) -> None:
    backoff_of_a_sender = Backoff()
    put = taken = 0
    while taken < 1000:
        size = backoff_of_a_sender.clicks
        put, taken = put + size, taken + takes(size)
        backoff_of_a_sender.after(outcome(takes(size), size - takes(size)))
    assert put <= put_per_taken * taken
