"""The generated parts of docs/operate/cost.md, between `<!-- NAME -->` and `<!-- end NAME -->`."""

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "cost.md"


def blocks(text: str) -> dict[str, str]:
    """The text of each generated part, by its name."""
    return {name: body.strip() for name, body in _BLOCK.findall(text)}


def filled(text: str, contents: Mapping[str, str]) -> str:
    """`text` with each generated part anew; KeyError where nothing is given for one."""
    return _BLOCK.sub(
        lambda match: f"<!-- {match[1]} -->\n{contents[match[1]]}\n<!-- end {match[1]} -->", text
    )


_BLOCK = re.compile(r"<!-- ([a-z-]+) -->\n(.*?)<!-- end \1 -->", re.DOTALL)
