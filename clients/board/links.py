"""The address of an article, from a template: https://news.example/{article_id}."""

from urllib.parse import urlsplit

from clients.batch_server.errors import QuestionError

PLACE = "{article_id}"


def checked_template(template: str) -> str:
    """Raises QuestionError unless ids can stand in it without choosing the host or the way it is asked."""
    wrong = f"{template!r} is no template for links: write one as https://news.example/articles/{PLACE}"
    try:
        parts = urlsplit(template)
        host = parts.hostname
    except ValueError as error:
        raise QuestionError(f"{wrong} ({error})") from None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or PLACE in parts.netloc
        or parts.username is not None
    ):
        raise QuestionError(wrong)
    if PLACE not in template[len(parts.scheme) :] or not template.isprintable() or " " in template:
        raise QuestionError(wrong)
    return template
