"""python -m operations.doctor: what a machine or an account lacks before a deployment. It only reads."""

import json
import sys
from typing import Annotated

import typer

from operations.doctor import account, machine, offers, quotas, report, taken
from operations.doctor.aws import Aws
from operations.doctor.check import Check, CheckResult, Verdict, lacks, run, unknown
from operations.doctor.deployed import Deployed
from operations.doctor.wanted import WantedResources, wanted
from settings import Settings, SettingsError, load

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def main(
    environment: Annotated[str, typer.Option(help="of environments/<NAME>.toml")] = "production",
    as_json: Annotated[bool, typer.Option("--json", help="For programs, instead of text.")] = False,
) -> None:
    """What this machine or the account lacks before a deployment.

    Ends with 0: nothing; 1: something; 2: nothing, but something could not be looked at.
    """
    findings = run(machine.checks())
    try:
        settings = load(environment)
    except SettingsError as error:
        diagnosis = lacks(str(error), "Mend that, then run the doctor again.")
        findings.append(CheckResult(check="settings", where="account", diagnosis=diagnosis))
    else:
        findings += examine(settings, Aws())
    if as_json:
        json.dump(report.as_json(environment, findings), sys.stdout, indent=2)
        print()
    else:
        print(f"Environment {environment}", report.as_text(findings), sep="\n")
    raise typer.Exit(report.exit_code(findings))


def examine(settings: Settings, aws: Aws, assembly: WantedResources | None = None) -> list[CheckResult]:
    """The findings about the account. assembly: of the environment; left out, it is synthesised."""
    credentials = run([account.credentials_check(settings, aws)])
    if any(finding.diagnosis.verdict is not Verdict.OK for finding in credentials):
        diagnosis = unknown(
            "Bootstrap, quotas, names and what the regions offer.", "Mend the credentials, then run again."
        )
        return [*credentials, CheckResult(check="everything else", where="account", diagnosis=diagnosis)]
    try:
        made = assembly or wanted(settings)
    except Exception as error:  # a rule of the project, cdk-nag, a package that cannot be fetched
        diagnosis = lacks(
            f"They cannot be synthesised: {str(error).strip() or type(error).__name__}",
            f"`make synth ENVIRONMENT={settings.environment}` says more; then run the doctor again.",
        )
        return [*credentials, CheckResult(check="templates", where="account", diagnosis=diagnosis)]
    return [*credentials, *run(account_checks(made, aws))]


def account_checks(made: WantedResources, aws: Aws) -> list[Check]:
    deployed = Deployed(made, aws)
    return [
        *account.checks(made, aws, deployed),
        *offers.checks(made, aws),
        *quotas.checks(made, aws, deployed),
        *taken.checks(made, aws, deployed),
    ]
