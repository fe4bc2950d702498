"""The function's environment variables, under the names that the infrastructure uses too."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdas.forwarder.rules import Rules, RulesError, destination_variable, load_rules

RULES_FILE = Path(__file__).with_name("rules.toml")

DEAD_LETTER_BUCKET = "DEAD_LETTER_BUCKET"
DEAD_LETTER_PREFIX = "DEAD_LETTER_PREFIX"
RECORD_BYTES = "RECORD_BYTES"
REQUESTS_IN_FLIGHT = "REQUESTS_IN_FLIGHT"


@dataclass(frozen=True, kw_only=True)
class ForwarderConfiguration:
    rules: Rules
    destination_arns: Mapping[str, str]
    dead_letter_bucket: str
    dead_letter_prefix: str
    record_bytes: int
    requests_in_flight: int
    region: str

    @classmethod
    def read(cls, environment: Mapping[str, str], rules_file: Path = RULES_FILE) -> "ForwarderConfiguration":
        """Raises RulesError if a rule names a destination without an ARN."""
        rules = load_rules(rules_file)
        check_destinations(
            rules, [name for name in rules.destinations if destination_variable(name) in environment]
        )
        return cls(
            rules=rules,
            destination_arns={name: environment[destination_variable(name)] for name in rules.destinations},
            dead_letter_bucket=environment[DEAD_LETTER_BUCKET],
            dead_letter_prefix=environment[DEAD_LETTER_PREFIX],
            record_bytes=int(environment[RECORD_BYTES]),
            requests_in_flight=int(environment[REQUESTS_IN_FLIGHT]),
            region=environment["AWS_REGION"],
        )


def check_destinations(rules: Rules, known: list[str]) -> None:
    """Raises RulesError if a rule names a destination for which the infrastructure gives no ARN."""
    if unknown := [name for name in rules.destinations if name not in known]:
        raise RulesError(
            f"rules.toml: no ARN is known for the destination {', '.join(unknown)}. Correct the name (known: "
            f"{', '.join(known) or 'none'}), or add it to the destinations of the Forwarder construct."
        )
