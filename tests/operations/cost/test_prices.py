"""The file of prices says of each its unit, region and source, and a tier is billed as AWS bills it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.cost.prices import FILE, OLD, Price, PriceError, Prices, Rate, load_prices, old_prices
from operations.cost.range import Range, exactly

REGION = "us-west-2"
GOOD = """
date = 2026-01-01
[thing]
unit = "thing"
source = ["page"]
us-west-2 = [{ low = 1.0, high = 2.0 }, { above = 10, low = 0.5, high = 1.0 }]
[sources.page]
kind = "primary"
url = "https://aws.amazon.com/thing/pricing/"
date = 2026-01-01
"""
TIERED = Price(
    unit="GB",
    source=("page",),
    rates={REGION: (Rate(low=3, high=3), Rate(above=10, low=2, high=2), Rate(above=30, low=1, high=1))},
)


def test_the_prices_were_gathered_on_a_day_that_has_been(prices: Prices) -> None:
    assert prices.date <= datetime.now(UTC).date()


def test_every_price_has_an_address_and_a_day_that_has_been(prices: Prices) -> None:
    today = datetime.now(UTC).date()
    for name, price in prices.prices.items():
        for source in (prices.sources[one] for one in price.source):
            assert source.url.startswith("https://"), name
            assert source.date <= today, name


def test_old_prices_are_said_with_their_days(prices: Prices) -> None:
    fresh = prices.sources["kinesis-page"]
    young = prices.model_copy(update={"sources": {"page": fresh}})
    assert old_prices(young, fresh.date + OLD) == ""
    told = old_prices(young, fresh.date + OLD + timedelta(days=1))
    assert "gathered on 2026-11-24; page is of 2026-11-24" in told
    old = fresh.model_copy(update={"date": date(2019, 1, 1)})
    mixed = prices.model_copy(update={"sources": {"page": fresh, "hearsay": old}})
    assert "changed them: hearsay is of 2019-01-01. operations/cost/prices.toml says" in old_prices(
        mixed, fresh.date
    )


def test_a_price_that_nobody_verified_is_a_low_and_a_high(prices: Prices) -> None:
    for name, price in prices.prices.items():
        if all(prices.sources[source].kind == "unverified" for source in price.source):
            assert all(rate.low < rate.high for rates in price.rates.values() for rate in rates), name


@pytest.mark.parametrize(("quantity", "usd"), [(0, 0), (10, 30), (11, 32), (30, 70), (100, 140), (0.5, 1.5)])
def test_each_tier_is_billed_at_its_own_rate(quantity: float, usd: float) -> None:
    assert TIERED.usd(exactly(quantity), REGION) == exactly(usd)


@given(less=st.floats(0, 1e9), more=st.floats(0, 1e9))
def test_more_never_costs_less(less: float, more: float) -> None:
    low, high = sorted((less, more))
    assert TIERED.usd(exactly(low), REGION).high <= TIERED.usd(exactly(high), REGION).high
    both = TIERED.usd(Range(low, high), REGION)
    assert both.low == TIERED.usd(exactly(low), REGION).low
    assert both.high == TIERED.usd(exactly(high), REGION).high


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("low = 1.0, high = 2.0", "low = 3.0, high = 2.0", "low .3.0. is above high"),
        ("low = 1.0, high = 2.0", "low = -1.0, high = 2.0", "greater than or equal to 0"),
        ("above = 10", "above = 0", "must begin at 0 and rise"),
        ('source = ["page"]', 'source = ["hearsay"]', "does not tell hearsay"),
        ('source = ["page"]', "source = []", "source"),
        ('unit = "thing"', "", "unit"),
        ("date = 2026-01-01\n[thing]", "[thing]", "date"),
        ('url = "https://aws.amazon.com/thing/pricing/"', 'url = "a public cost model"', "sources.page.url"),
        ('url = "https://aws.amazon.com/thing/pricing/"', "", "sources.page.url"),
        ('/pricing/"\ndate = 2026-01-01', '/pricing/"', "sources.page.date"),
        ('kind = "primary"', 'kind = "hearsay"', "sources.page.kind"),
        ("[thing]", "[thing", "cannot be used"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, good: str, bad: str, says: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(GOOD)
    load_prices(file)
    file.write_text(GOOD.replace(good, bad))
    with pytest.raises(PriceError, match=says):
        load_prices(file)


def test_a_price_that_is_missing_is_named_with_its_region(prices: Prices) -> None:
    with pytest.raises(PriceError, match=r"no price of firehose_in in ap-northeast-1: add it"):
        prices.price("firehose_in", "ap-northeast-1")
    with pytest.raises(PriceError, match=r"no price of the OpenSearch node x9\.large\.search"):
        prices.node("x9.large.search")


def test_the_file_tells_how_to_bring_it_up_to_date() -> None:
    assert "python -m operations.cost --docs" in FILE.read_text()
