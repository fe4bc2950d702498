"""Text from readers (ids, segment values) as a terminal may show it."""


def printable(text: str) -> str:
    """Readers send ids, so they can hold control characters; each is shown as a replacement character."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
