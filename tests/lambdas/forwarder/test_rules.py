import tomllib
from pathlib import Path

import pytest

from lambdas.forwarder.configuration import RULES_FILE, check_destinations
from lambdas.forwarder.rules import RulesError, destination_variable, load_rules, read_rules


def problems(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        read_rules(tomllib.loads(text), source="rules.toml")
    return str(caught.value).splitlines()


def test_the_shipped_rules_send_clicks_to_the_source_stream() -> None:
    rules = load_rules(RULES_FILE)
    assert rules.tag_field == "tag"
    assert rules.default_tag == "click"
    assert rules.destinations == ("source-stream",)
    assert destination_variable("source-stream") == "DESTINATION_SOURCE_STREAM"


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("", "tags", "add a table such as [tags.click]"),
        ("tag_name = 'x'\n[tags.click]\ndrop = true", "tag_name", "use one of default_tag, tag_field, tags"),
        ("tag_field = 1\n[tags.click]\ndrop = true", "tag_field", "write non-empty text in quotes"),
        ("[tags.view]\ndrop = true", "default_tag", "add [tags.click] or name one of view"),
        ("tags.click = 'source'", "[tags.click]", "write a table with `destination` or `drop = true`"),
        ("[tags.click]", "[tags.click]", 'exactly one of `destination = "name"` and `drop = true`'),
        ("[tags.click]\ndestination = 'a'\ndrop = true", "[tags.click]", "exactly one of"),
        ("[tags.click]\ndrop = 'yes'", "[tags.click] drop", "write `drop = true` or leave it out"),
        (
            "[tags.click]\ndrop = true\nkeep = ['a']",
            "[tags.click]",
            "drops the click before keep; remove that",
        ),
        ("[tags.click]\ndrop = true\nfilter = []", "filter", "use one of cast, default, destination, drop"),
        ("[tags.click]\ndestination = 'a'\nrequired = 'id'", "[tags.click] required", "write a list such as"),
        ("[tags.click]\ndestination = 'a'\nrename = ['a']", "[tags.click] rename", "write { field ="),
        (
            "[tags.click]\ndestination = 'a'\ncast = { at = 'datetime' }",
            "[tags.click] cast.at",
            "'datetime' is not a cast; use one of boolean, id, integer, number, string, timestamp",
        ),
        (
            "[tags.click]\ndestination = 'a'\ndefault = { at = 2026-01-01 }",
            "[tags.click] default.at",
            "a default is text, a number, true or false",
        ),
        (  # JSON has no infinity: every click would be refused for it
            "[tags.click]\ndestination = 'a'\ndefault = { scroll = inf }",
            "[tags.click] default.scroll",
            "is inf; a default is text, a number, true or false",
        ),
        (
            "[tags.click]\ndestination = 'a'\nrename = { id = 'click_id' }\nrequired = ['id']",
            "[tags.click] required",
            "'id' was renamed to 'click_id' before this step; write 'click_id' here",
        ),
        (
            "[tags.click]\ndestination = 'a'\nkeep = ['a']\nrequired = ['click_id']",
            "[tags.click] keep",
            "leaves out 'click_id', which `required` names; add it to keep",
        ),
    ],
)
def test_a_wrong_rule_is_reported_with_place_and_remedy(text: str, place: str, remedy: str) -> None:
    (message,) = problems(text)
    assert message.startswith(f"rules.toml: {place}: ")
    assert remedy in message


def test_all_problems_are_reported_at_once() -> None:
    assert len(problems("[tags.click]\n[tags.view]\ndrop = 1\nkeep = 1")) == 3


def test_a_file_that_is_not_toml_is_reported_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[tags.click\n")
    with pytest.raises(RulesError, match=r"rules.toml is not TOML: .*line 1"):
        load_rules(file)


def test_a_destination_without_an_arn_is_reported_with_the_known_ones() -> None:
    rules = read_rules({"tags": {"click": {"destination": "sauce"}}}, source="rules.toml")
    with pytest.raises(RulesError, match=r"no ARN is known for the destination sauce.*known: source-stream"):
        check_destinations(rules, ["source-stream"])
