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

from operations.cost import page, picture, report
from operations.cost.alternatives import alternatives
from operations.cost.cheapest import FACTORS, Cheapest, NoSettingsError, cheapest
from operations.cost.estimate import Estimate, estimate_resources
from operations.cost.prices import PriceError, Prices, load_prices, old_prices
from operations.cost.template import AssemblyError, TemplateResource, UnpricedError, read_resources
from settings import Settings, SettingsError, load

BESIDE_FACTORS = (1, 30, 1000)
"""Of the traffic, at which the alternatives are told."""
DOCUMENTED = "production"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    environment: Annotated[str, typer.Option(help="of environments/<NAME>.toml")] = DOCUMENTED,
    assembly: Annotated[
        Path | None, typer.Option(help="A cloud assembly of it; left out, it is synthesised.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, instead of tables.")] = False,
    picture_file: Annotated[
        Path | None, typer.Option("--picture", help="SVG of cost by part as the traffic grows.")
    ] = None,
    docs: Annotated[
        bool, typer.Option("--docs", help=f"Write docs/operate/cost.md and its picture, of {DOCUMENTED}.")
    ] = False,
) -> None:
    """What an environment costs a month, low and high, and what it would cost otherwise."""
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
    if picture_file and found:
        picture.draw(found, picture_file)
    if docs:
        page.PAGE.write_text(page.filled(page.PAGE.read_text(), generated(now, found, prices)))
        picture.draw(found, page.PICTURE)
        return
    reports = [report.by_part(now), report.by_dimension(now)]
    reports += [report.growth(found), _beside(found, prices)] if found else []
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(report.shown(reports, console.width))
    if old := old_prices(prices, datetime.now(UTC).date()):
        print(old, file=sys.stderr)
    for why in dict.fromkeys(one.why for one in now.unpriced):
        print(f"not known: {why}", file=sys.stderr)
    if now.unpriced:
        print("So the total is not known, nor what is the cheapest as the traffic grows.", file=sys.stderr)


def grown(resources: Sequence[TemplateResource], settings: Settings, prices: Prices) -> list[Cheapest]:
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


def generated(now: Estimate, found: Sequence[Cheapest], prices: Prices) -> dict[str, str]:
    """The generated parts of docs/operate/cost.md, by name."""
    return {
        "parts": report.by_part(now).markdown(),
        "dimensions": report.by_dimension(now).markdown(),
        "growth": report.growth(found).markdown(),
        "alternatives": _beside(found, prices).markdown(),
        "prices-of": f"Prices of {now.prices_of}.",
    }


def _beside(found: Sequence[Cheapest], prices: Prices) -> report.CostTable:
    return report.beside(
        (one.factor, alternatives(one.settings, prices, one.estimate))
        for one in found
        if one.factor in BESIDE_FACTORS
    )


@contextmanager
def _resources(settings: Settings, assembly: Path | None) -> Iterator[tuple[TemplateResource, ...]]:
    if assembly:
        yield read_resources(assembly)
        return
    from stacks.app import synthesise  # here, as it takes seconds that a given assembly needs not

    with tempfile.TemporaryDirectory(prefix="click-trends-cost-") as folder:
        yield read_resources(synthesise(settings.environment, Path(folder)))
