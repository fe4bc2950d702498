"""python -m operations.cost: what an environment costs a month: tables, JSON, or docs/operate/cost.md."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cloudformation import AssemblyError, Resource, read_resources
from operations.cost import page, report
from operations.cost.basis import Basis
from operations.cost.billed import billed_moments
from operations.cost.cheapest import FACTORS, Cheapest, NoSettingsError, cheapest
from operations.cost.estimate import Estimate, estimate_resources
from operations.cost.prices import PriceError, Prices, UnpricedError, load_prices, old_prices
from settings import Settings, SettingsError, load

DOCUMENTED = "production"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    environment: Annotated[str, typer.Option(help="of environments/<NAME>.toml")] = DOCUMENTED,
    assembly: Annotated[
        Path | None, typer.Option(help="A cloud assembly of it; left out, it is synthesised.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, instead of tables.")] = False,
    docs: Annotated[
        bool, typer.Option("--docs", help=f"Write the tables of docs/operate/cost.md, of {DOCUMENTED}.")
    ] = False,
) -> None:
    """What an environment costs a month, low and high, and with the cheapest settings as it grows."""
    try:
        settings, prices = load(DOCUMENTED if docs else environment), load_prices()
        with _resources(settings, assembly) as resources:
            now = estimate_resources(resources, settings, prices)
            if as_json:
                old = old_prices(prices, datetime.now(UTC).date())
                json.dump({**now.as_json(), "old_prices": old or None}, sys.stdout, indent=2)
                print()
                return
            found = [] if now.unpriced and not docs else grown(resources, settings, prices)
    except (SettingsError, AssemblyError, PriceError, UnpricedError, NoSettingsError) as error:
        sys.exit(str(error))
    if docs:
        page.PAGE.write_text(
            page.filled(page.PAGE.read_text(), generated(resources, settings, prices, now, found))
        )
        return
    reports = [report.by_part(now), report.by_dimension(now)]
    if not now.unpriced:
        moments = tuple(billed_moments(Basis.of(resources, settings, prices)))
        reports.append(report.billed(moments, settings.peak.click_bytes))
    reports += [report.growth(found)] if found else []
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(report.shown(reports, console.width))
    if old := old_prices(prices, datetime.now(UTC).date()):
        print(old, file=sys.stderr)
    for why in dict.fromkeys(one.why for one in now.unpriced):
        print(f"not known: {why}", file=sys.stderr)
    if now.unpriced:
        print("So the total is not known, nor what is the cheapest as the traffic grows.", file=sys.stderr)


def grown(resources: Sequence[Resource], settings: Settings, prices: Prices) -> list[Cheapest]:
    """Up to the first factor that no settings carry. Raises NoSettingsError where that is the first."""
    found: list[Cheapest] = []
    for factor in FACTORS:
        try:
            found.append(cheapest(resources, settings, prices, factor=factor))
        except NoSettingsError:
            if not found:
                raise
            break
    return found


def generated(
    resources: Sequence[Resource],
    settings: Settings,
    prices: Prices,
    now: Estimate,
    found: Sequence[Cheapest],
) -> dict[str, str]:
    """The generated parts of docs/operate/cost.md, by name."""
    basis = Basis.of(resources, settings, prices)
    return {
        "billed": report.billed(tuple(billed_moments(basis)), settings.peak.click_bytes).markdown(),
        "parts": report.by_part(now).markdown(),
        "dimensions": report.by_dimension(now).markdown(),
        "growth": report.growth(found).markdown(),
        "prices-of": f"Prices of {now.prices_of}.",
    }


@contextmanager
def _resources(settings: Settings, assembly: Path | None) -> Iterator[tuple[Resource, ...]]:
    if assembly:
        yield read_resources(assembly)
        return
    from stacks.app import synthesise  # here, as it takes seconds that a given assembly needs not

    with tempfile.TemporaryDirectory(prefix="click-trends-cost-") as folder:
        yield read_resources(synthesise(settings.environment, Path(folder)))
