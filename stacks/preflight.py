"""Says what `make deploy` and `make destroy` are about to do to an environment, and what stands in the way.

  python -m stacks.preflight deploy --environment NAME
  python -m stacks.preflight destroy --environment NAME --destroy yes

Ends with an error where it cannot be done: an account that only the twin has, a jar that is not built, a key
that is missing.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analytics_sql.jars import stale, unusable
from analytics_sql.local_flink import AWS_JAR
from names import STACKS
from settings import ENVIRONMENTS, Settings, SettingsError, load
from stacks.constructs.retention import Retention


class Command(StrEnum):
    DEPLOY = "deploy"
    DESTROY = "destroy"


def deployment(settings: Settings, *, jar: Path = AWS_JAR) -> tuple[list[str], list[str]]:
    """What a deployment does, and what stands in its way."""
    problems = _twin_only(settings)
    if problem := unusable(jar) or stale(jar):
        problems.append(f"{problem}: run `make aws-jar` first.")
    does = [
        f"Deploys environment {settings.environment} into account {settings.account}: creates or updates, in "
        "this order, " + ", ".join(_described(stack, settings) for stack in STACKS) + ".",
        "The CDK shows every change that broadens access, and asks before it goes on unless "
        "CDK_REQUIRE_APPROVAL is `never`.",
        "Both regions must be bootstrapped once: `npx cdk bootstrap "
        + " ".join(
            f"aws://{settings.account}/{region}"
            for region in (settings.regions.tokyo, settings.regions.oregon)
        )
        + "`.",
    ]
    return does, problems


def destruction(settings: Settings, *, asked: bool) -> tuple[list[str], list[str]]:
    """What a destruction does, and what stands in its way."""
    problems = _twin_only(settings)
    retention = Retention(allowed=settings.allow_destroy, asked=asked)
    if not retention.allowed:
        problems.append(
            f"Key one is missing: set allow_destroy = true in environments/{settings.environment}.toml."
        )
    if not retention.asked:
        problems.append("Key two is missing: say DESTROY=yes at the command line.")
    names = settings.names
    buckets = {
        names.raw_bucket: settings.regions.oregon,
        names.segments_bucket: settings.regions.oregon,
        names.rejected_bucket: settings.regions.oregon,
        names.query_results_bucket: settings.regions.oregon,
        names.dead_letter_bucket: settings.regions.tokyo,
    }
    does = [
        f"Destroys environment {settings.environment} in account {settings.account} with all its data.",
        "1. Deploys " + " and ".join(names.stack(stack) for stack in STACKS[:2]) + " once more: "
        "what they hold goes with them from then on.",
        "2. Deletes, in this order, "
        + ", ".join(names.stack(stack) for stack in reversed(STACKS))
        + ". Then "
        f"the domain {names.search_domain} with every count, the table {names.trending_table} with the "
        "rankings, both streams and the readers' accounts go.",
        "A bucket must be empty, or its deletion fails and the rest of its stack stays. Stop the producers, "
        "wait for the buffers, then empty these, old versions too:",
        *(f"   s3://{bucket} ({region})" for bucket, region in buckets.items()),
        "The CDK's bootstrap stacks stay; they belong to the account.",
    ]
    return does, problems


def _described(stack: str, settings: Settings) -> str:
    return f"{settings.names.stack(stack)} ({settings.names.region_of(stack)})"


def _twin_only(settings: Settings) -> list[str]:
    if not settings.is_twin:
        return []
    return [
        f"Account {settings.account} exists in the twin only: choose another environment with "
        "ENVIRONMENT=NAME, or write your account into its file."
    ]


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    command: Annotated[Command, typer.Argument(help="What is about to be done.")],
    environment: Annotated[str, typer.Option(help=f"Name of a file in {ENVIRONMENTS.name}/.")],
    destroy: Annotated[str, typer.Option(help="The second key: `yes`.")] = "",
) -> None:
    try:
        settings = load(environment)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if command is Command.DEPLOY:
        does, problems = deployment(settings)
    else:
        does, problems = destruction(settings, asked=destroy == "yes")
    typer.echo("\n".join(does))
    if problems:
        typer.echo("\nNothing was changed:\n" + "\n".join(f"  {problem}" for problem in problems), err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
