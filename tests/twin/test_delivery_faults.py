"""Deliveries repeated and delayed at random, but the same in each run."""

from collections import Counter
from collections.abc import Sequence

import pytest

from twin.delivery_faults import DeliveryFaults, FaultyDelivery

NUMBERS = [[b"%d" % (10 * delivery + record) for record in range(10)] for delivery in range(200)]


def delivered(faults: DeliveryFaults) -> list[Sequence[bytes]]:
    """The arrivals of 200 deliveries, one a second; each delayed one is held for two seconds."""
    arrived: list[Sequence[bytes]] = []
    delivery = FaultyDelivery(arrived.append, faults, delay_seconds=2.0)
    for second, records in enumerate(NUMBERS):
        delivery.deliver(records, second)
        delivery.deliver_held(second)
    delivery.deliver_all_held()
    return arrived


def test_every_record_arrives_some_twice_and_out_of_order() -> None:
    arrived = [record for records in delivered(DeliveryFaults()) for record in records]
    times = Counter(arrived)
    assert times.keys() == {record for records in NUMBERS for record in records}
    assert set(times.values()) == {1, 2}
    assert 0.05 < sum(number == 2 for number in times.values()) / len(times) < 0.2
    first_arrivals = list(dict.fromkeys(arrived))
    assert first_arrivals != sorted(first_arrivals, key=int)


def test_a_repeated_delivery_is_identical() -> None:
    arrived = delivered(DeliveryFaults(repeated=1.0))
    assert set(Counter(map(tuple, arrived)).values()) == {2}


def test_the_same_seed_gives_the_same_faults() -> None:
    assert delivered(DeliveryFaults(seed=1)) == delivered(DeliveryFaults(seed=1))
    assert delivered(DeliveryFaults(seed=1)) != delivered(DeliveryFaults(seed=2))


def test_without_faults_each_delivery_arrives_once_in_order() -> None:
    assert delivered(DeliveryFaults(repeated=0.0, delayed=0.0)) == NUMBERS


def test_a_number_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="repeated must be a share"):
        DeliveryFaults(repeated=30)
