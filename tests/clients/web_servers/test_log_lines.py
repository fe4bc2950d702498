"""What NGINX and Apache log for browsers' requests: one id for one article, and only real clicks."""

import json

import pytest

from contract.click import clicks_in
from tests.clients.web_servers.browser_requests import REQUESTS, SERVERS, line, logged, recorded
from tests.clients.web_servers.log_lines import documented_configuration

NO_CLICK = {
    "with an encoded slash",
    "with an encoded slash in front",
    "with dots and an encoded slash",
    "with a slash",
    "without an id",
    "as an argument",
    "HEAD",
    "OPTIONS",
    "PUT",
}
NOT_ASCII = {"percent-encoded", "percent-encoded in lower case", "as bytes", "in two lines", "in Shift_JIS"}


@pytest.mark.parametrize("server", SERVERS)
def test_the_lines_were_recorded_with_the_documented_configuration(server: str) -> None:
    remedy = "run `python -m tests.clients.web_servers.record_lines` where NGINX and Apache are installed"
    assert recorded()[server]["configuration"] == documented_configuration(server), remedy
    assert list(recorded()[server]["lines"]) == list(REQUESTS), remedy


def test_nginx_writes_one_id_however_the_browser_encodes_it() -> None:
    spellings = ("percent-encoded", "percent-encoded in lower case", "as bytes")
    assert {json.loads(line("nginx", each))["article_id"] for each in spellings} == {"記事-7"}


@pytest.mark.parametrize("server", SERVERS)
def test_an_id_is_the_text_that_the_browser_encoded(server: str) -> None:
    assert logged(server)["an id of ASCII"]["article_id"] == "news-7"
    assert logged(server)["with marks"]["article_id"] == '"a\\b" %25++&'
    assert server == "apache" or logged(server)["in two lines"]["article_id"] == "a\nb"


@pytest.mark.parametrize("server", SERVERS)
def test_only_a_get_or_a_post_for_an_article_is_a_click(server: str) -> None:
    without_line = {name for name, text in recorded()[server]["lines"].items() if text is None}
    assert without_line == NO_CLICK | (NOT_ASCII if server == "apache" else set())


@pytest.mark.parametrize("server", SERVERS)
def test_a_request_without_the_readers_cookie_has_no_reader(server: str) -> None:
    for request in ("without a cookie", "with another cookie", "with an empty cookie"):
        assert logged(server)[request]["user_id"] == ""
    assert logged(server)["an id of ASCII beside other cookies"]["user_id"] == "u-31"


def test_the_cookie_of_the_reader_is_not_decoded() -> None:
    assert logged("nginx")["with a cookie that is percent-encoded"]["user_id"] == "%E8%AA%AD"
    assert logged("nginx")["with a cookie of bytes"]["user_id"] == "読者"
    assert logged("apache")["with a cookie of bytes"]["user_id"] == ""


def test_an_id_that_is_not_unicode_makes_a_line_unreadable() -> None:
    assert not clicks_in(line("nginx", "in Shift_JIS"))
    assert clicks_in(line("nginx", "percent-encoded"))
