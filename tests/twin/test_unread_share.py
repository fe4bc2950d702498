"""The share that no decoder could read, by the minute."""

from twin.unread_share import MIN_BYTES, UnreadShare


def test_the_share_is_that_of_the_last_full_minute_with_enough_bytes() -> None:
    now = 0.0
    share = UnreadShare(lambda: now)
    share.add(b"x" * MIN_BYTES + b"\n" + b'{"a": "' + b"y" * (MIN_BYTES - 9) + b'"}\n')
    assert share.percent() == 0
    now = 60.0
    assert share.percent() == 50
    share.add(b"[1]\n")  # few bytes
    now = 119.0
    assert share.percent() == 50
    now = 120.0
    assert share.percent() == 0
