import json

from twin.accounting import _reasons_of_letters


def letter(sequence_number: str, *, shard: str = "shardId-000000000000") -> bytes:
    return json.dumps({"reason": "not_json", "shard": shard, "sequence_number": sequence_number}).encode()


def test_a_dead_letter_that_stands_in_two_objects_counts_once() -> None:
    letters = [letter("1"), letter("2"), letter("2"), letter("2", shard="shardId-000000000001")]
    assert _reasons_of_letters(iter(letters)) == {"not_json": 3}
