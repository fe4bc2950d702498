"""The page's colours as people with each kind of colour vision see them, light and dark.

tests/clients/board/test_page.py looks at the drawn page through Chromium's own simulation.
"""

import itertools
import re

import pytest

from clients.board.application import PAGE
from tests.clients.board.colour_distance import MIN_STEP, distance, seen_by

MIN_STATE = 15.0
"""Between colours that mean different things."""
VISIONS = ("ordinary", "protan", "deutan", "tritan")
STEPS = tuple(f"h{step}" for step in range(7))
STATES = (
    ("good", "bad"),  # live, away
    ("good", "text"),  # live, waiting
    ("bad", "text"),
    ("accent", "bad"),  # more, less; a stage, one that is old
    ("bar", "bar-running"),
    ("bar", "rejected"),
    ("bar-running", "rejected"),
    ("bar-running", "panel"),
)


def _palette(scheme: str) -> dict[str, str]:
    css = (PAGE / "board.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", light))
    if scheme == "dark":
        colours |= re.findall(r"--([\w-]+): (#[0-9a-f]+);", dark)
    return colours


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_steps_of_the_heat_map_and_states_differ_for_every_kind_of_colour_vision(
    scheme: str, vision: str
) -> None:
    palette = _palette(scheme)
    pairs = dict.fromkeys(itertools.pairwise(STEPS), MIN_STEP) | dict.fromkeys(STATES, MIN_STATE)
    distances = {pair: distance(palette[pair[0]], palette[pair[1]], vision) for pair in pairs}
    assert {pair: found for pair, found in distances.items() if found < pairs[pair]} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_more_clicks_are_always_darker_or_always_lighter(scheme: str, vision: str) -> None:
    palette = _palette(scheme)
    lightness = [seen_by(palette[step], vision).convert("lab-d65")["l"] for step in STEPS]
    assert lightness == sorted(lightness, reverse=scheme == "light")
