import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.click import Click, read
from lambdas.forwarder.configuration import RULES_FILE
from lambdas.forwarder.routing import _CASTS, InvalidClickError, Routed, _line, compile_routing
from lambdas.forwarder.rules import CASTS, load_rules, read_rules
from tests.lambdas.forwarder.events import as_bytes, click

DEEP = b"[" * 900 + b"]" * 900
"""Can be read, and be shown by no error message."""

route_by_shipped_rules = compile_routing(load_rules(RULES_FILE))


def only_click(data: bytes) -> Click:
    (unit,) = read(data)
    assert isinstance(unit, Click)
    return unit


def route_shipped(data: bytes) -> Routed:
    return route_by_shipped_rules(only_click(data))


def route(rules: str, record: dict[str, Any]) -> Routed:
    return compile_routing(read_rules(tomllib.loads(rules), source="test"))(only_click(as_bytes(record)))


def rejection(data: bytes) -> tuple[str, str | None]:
    with pytest.raises(InvalidClickError) as caught:
        route_shipped(data)
    return caught.value.reason, caught.value.tag


def test_a_click_in_the_contracts_form_keeps_its_bytes() -> None:
    data = as_bytes(click()).rstrip().replace(b"}", b', "price": 1.10, "name": "\\u8a18"}')
    expected = Routed("click", "source-stream", data + b"\n")
    assert route_shipped(data) == expected
    assert route_shipped(b"  " + data + b"\r\n") == expected


def test_an_element_of_an_array_becomes_a_line_with_its_bytes() -> None:
    assert route_shipped(b"[ " + as_bytes(click()).rstrip() + b" ]\n").line == as_bytes(click())


def test_unknown_fields_of_a_click_are_kept_when_it_is_reformatted() -> None:
    record = click(clicked_at=1767225600, tag="click", experiment={"arm": ["b", None, 0.5]})
    line = route_shipped(as_bytes(record)).line
    assert json.loads(line) == {**record, "clicked_at": "2026-01-01T00:00:00.000Z"}
    assert "記事-1".encode() in line


@pytest.mark.parametrize("digits", [2, 309, 310, 1_000])
def test_a_numeric_id_becomes_text(digits: int) -> None:
    """From 310 digits on a number exceeds all doubles; the contract reads 1,000."""
    number = "4" * digits
    data = as_bytes(click(user_id="?")).replace(b'"?"', number.encode())
    assert json.loads(route_shipped(data).line)["user_id"] == number


def test_an_id_is_any_unicode_text() -> None:
    for written in ("\\ud83d\\ude00", "\\u0000", "\\uffff"):
        data = as_bytes(click(user_id="?")).replace(b"?", written.encode())
        assert route_shipped(data).line == data


@pytest.mark.parametrize(
    ("data", "reason", "tag"),
    [
        (as_bytes(click(tag=7)), "invalid_tag", None),
        (as_bytes(click(tag="")), "unknown_tag", ""),
        (as_bytes(click(tag="heartbeat")), "unknown_tag", "heartbeat"),
        (b"{}", "missing_click_id", "click"),
        (as_bytes(click(click_id="")), "missing_click_id", "click"),
        (b'{"click_id": "a", "user_id": null}', "missing_user_id", "click"),
        (as_bytes(click(article_id=None)), "missing_article_id", "click"),
        (as_bytes(click(clicked_at=None)), "missing_clicked_at", "click"),
        (as_bytes(click(clicked_at="yesterday")), "invalid_clicked_at", "click"),
        (as_bytes(click(article_id={"nested": True})), "invalid_article_id", "click"),
        (as_bytes(click(user_id=True)), "invalid_user_id", "click"),
        (as_bytes(click(user_id="?")).replace(b"?", b"\\ud83d"), "id_not_unicode", "click"),
        (as_bytes(click(click_id="?")).replace(b"?", b"a\\ude00b"), "id_not_unicode", "click"),
        (as_bytes(click(article_id="?")).replace(b"?", b"\\ude00\\ud83d"), "id_not_unicode", "click"),
        (
            as_bytes(click(article_id=float("1e300"))).replace(b"1e+300", b"1e400"),
            "invalid_article_id",
            "click",
        ),
        # valid until rewritten: half a surrogate pair, a number beyond all doubles
        (b'{"x":"\\ud800",' + as_bytes(click(clicked_at=0))[1:], "not_rewritable", "click"),
        (b'{"x":1e999,' + as_bytes(click(clicked_at=0))[1:], "not_rewritable", "click"),
        (as_bytes(click(clicked_at="?")).replace(b'"?"', DEEP), "invalid_clicked_at", "click"),
        (as_bytes(click(user_id="?")).replace(b'"?"', DEEP), "invalid_user_id", "click"),
    ],
)
def test_an_invalid_click_is_rejected_with_its_reason_and_tag(
    data: bytes, reason: str, tag: str | None
) -> None:
    assert rejection(data) == (reason, tag)


def test_a_value_nested_too_deeply_to_write_is_invalid() -> None:
    """Which depths can be read but not written depends on Python's version."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for cast in _CASTS.values():
        with pytest.raises(ValueError, match=r"\S"):
            cast(deep)
    with pytest.raises(InvalidClickError, match="not_rewritable"):
        _line({"x": deep}, "click")


hostile = st.sampled_from(
    [
        *(
            sign + "9" * digits
            for sign in ("", "-")
            for digits in (18, 19, 308, 309, 310, 4_299, 4_300, 4_301)
        ),
        *("1e308", "1e309", "-1e309", "1e-400", "-0.0", "NaN", "Infinity", "-Infinity", "null", "true"),
        *(json.dumps("9" * digits) for digits in (11, 14, 18, 310, 5_000)),
        *(
            '"' + text + '"'
            for text in ("", " ", "\\ud800", "\\udfff\\ud800", "\\u0000", "\U0010ffff", "nan", "1e999")
        ),
        *("[" * depth + "]" * depth for depth in (1, 500, 900, 950, 970, 980, 985, 990, 995)),
        *(json.dumps(f"2026-01-31T12:00{end}") for end in ("Z", "+99", ":60Z", "[A/B]", ":00.5+23:59:59")),
        '"0001-01-01T00:00+09:00"',
        '"9999-12-31T23:59-09:00"',
        '{"a":' * 400 + "1" + "}" * 400,
    ]
)
every_cast = "default_tag = 'id'" + "".join(
    f"""
    [tags.{cast}]
    destination = 'a'
    rename = {{ old = 'renamed' }}
    default = {{ defaulted = 1 }}
    required = ['value']
    cast = {{ value = '{cast}', renamed = '{cast}', defaulted = '{cast}' }}
    keep = ['value', 'renamed', 'defaulted', 'other']
    """
    for cast in CASTS
)
route_by_cast = compile_routing(read_rules(tomllib.loads(every_cast), source="test"))


@given(
    st.sampled_from([*CASTS, "none", None]),
    st.dictionaries(st.sampled_from(["value", "old", "renamed", "defaulted", "other"]), hostile, max_size=5),
    st.sampled_from(["", " ", "\r", "\t"]),
)
def test_casts_and_steps_raise_only_invalid_click(
    tag: str | None, fields: dict[str, str], space: str
) -> None:
    members = [f'"tag":{json.dumps(tag)}', *(f'"{name}":{value}' for name, value in fields.items())]
    data = ("{" + f",{space}".join(members) + "}").encode()
    units = read(data)
    if not isinstance(units[0], Click):
        return
    try:
        routed = route_by_cast(units[0])
    except InvalidClickError:
        return
    assert routed.line.endswith(b"\n")
    assert routed.line.count(b"\n") == 1


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = (
    scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=2), scalars, max_size=2)
)


@given(st.dictionaries(st.sampled_from(["tag", *click()]), json_values, max_size=3))
def test_no_value_in_a_known_field_breaks_the_routing(fields: dict[str, Any]) -> None:
    units = read(json.dumps({**click(), **fields}).encode())
    if not isinstance(units[0], Click):
        return
    try:
        routed = route_by_shipped_rules(units[0])
    except InvalidClickError:
        return
    assert json.loads(routed.line).keys() == (click() | fields).keys()


def test_a_tag_is_routed_to_its_own_destination() -> None:
    rules = "[tags.click]\ndestination = 'source-stream'\n[tags.view]\ndestination = 'views'"
    assert route(rules, {"tag": "view"}).destination == "views"
    assert route(rules, {"tag": None}).destination == "source-stream"


def test_a_tag_can_be_dropped_on_purpose() -> None:
    rules = "[tags.click]\ndestination = 'a'\n[tags.ping]\ndrop = true"
    assert route(rules, {"tag": "ping"}) == Routed("ping", None, b"")


def test_one_rule_can_match_every_other_tag() -> None:
    rules = "tag_field = 'type'\n[tags.click]\ndestination = 'a'\n[tags.'*']\ndestination = 'other'"
    assert route(rules, {"type": "new"}) == Routed("new", "other", b'{"type": "new"}\n')


@pytest.mark.parametrize(
    ("step", "record", "expected"),
    [
        ("rename = { id = 'click_id' }", {"id": 1, "x": 2}, {"click_id": 1, "x": 2}),
        ("rename = { id = 'click_id' }", {"id": 1, "click_id": 2}, {"id": 1, "click_id": 2}),
        ("default = { platform = 'app' }", {"platform": None}, {"platform": "app"}),
        ("default = { platform = 'app' }", {"platform": "web"}, {"platform": "web"}),
        ("keep = ['a']", {"a": 1, "b": 2}, {"a": 1}),
        ("cast = { n = 'integer' }", {"n": " 1"}, "invalid_n"),
        ("cast = { n = 'integer' }", {"n": "-12"}, {"n": -12}),
        ("cast = { n = 'integer' }", {"n": 2.0}, {"n": 2}),
        ("cast = { n = 'integer' }", {"n": 2.5}, "invalid_n"),
        ("cast = { n = 'integer' }", {"n": "1_0"}, "invalid_n"),
        ("cast = { n = 'integer' }", {"n": True}, "invalid_n"),
        ("cast = { n = 'number' }", {"n": "1.5e3"}, {"n": 1500.0}),
        ("cast = { n = 'number' }", {"n": "nan"}, "invalid_n"),
        ("cast = { n = 'number' }", {"n": "1e999"}, "invalid_n"),
        ("cast = { n = 'boolean' }", {"n": "TRUE"}, {"n": True}),
        ("cast = { n = 'boolean' }", {"n": 0}, {"n": False}),
        ("cast = { n = 'boolean' }", {"n": "maybe"}, "invalid_n"),
        ("cast = { n = 'boolean' }", {"n": [True]}, "invalid_n"),
        ("cast = { n = 'number' }", {"n": 10**400}, {"n": 10**400}),
        ("cast = { n = 'integer' }", {"n": 1e300}, {"n": int(1e300)}),
        ("cast = { n = 'id' }", {"n": 7}, {"n": "7"}),
        ("cast = { n = 'id' }", {"n": [7]}, "invalid_n"),
        ("cast = { n = 'string' }", {"n": 1.5}, {"n": "1.5"}),
        ("cast = { n = 'integer' }", {}, {}),
        (
            "rename = { at = 'when' }\ndefault = { when = 0 }\ncast = { when = 'timestamp' }",
            {"at": None, "b": 1},
            {"when": "1970-01-01T00:00:00.000Z", "b": 1},
        ),
    ],
)
def test_each_step_does_what_the_rules_file_says(step: str, record: dict[str, Any], expected: Any) -> None:
    rules = f"[tags.click]\ndestination = 'a'\n{step}"
    if isinstance(expected, str):
        with pytest.raises(InvalidClickError, match=expected):
            route(rules, record)
    else:
        assert json.loads(route(rules, record).line) == expected
