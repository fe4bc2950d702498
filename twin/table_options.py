"""Overrides of the application's deployed table options, so that its tables reach the emulated AWS."""

from pathlib import Path

from analytics_sql.click_files import LINE_OPTIONS
from twin.emulator import Emulator

Properties = dict[str, dict[str, str]]  # property group -> key -> value


def tables_of(deployed: Properties, connector: str) -> list[str]:
    """The deployed application's tables that use a connector."""
    return [group for group, options in deployed.items() if options.get("connector") == connector]


def file_properties(root: Path, deployed: Properties) -> Properties:
    """Table options of the `files` transport over the folders of `root`, with the deployed format options."""

    def file_table(table: str, folder: str, options: dict[str, str]) -> dict[str, str]:
        formats = {
            key: value for key, value in deployed[table].items() if key == "format" or key.startswith("json.")
        }
        return {"connector": "filesystem", "path": (root / folder).as_uri(), **formats, **options}

    source = {"source.monitor-interval": "500 ms", **LINE_OPTIONS}
    publish = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "500 ms"}
    return {
        **{table: file_table(table, table, source) for table in tables_of(deployed, "kinesis")},
        **{
            table: file_table(table, deployed[table]["delivery-stream"], publish)
            for table in tables_of(deployed, "firehose")
        },
    }


def connector_properties(emulator: Emulator, deployed: Properties) -> Properties:
    """Table options of the `aws` transport: the deployed ones, with the emulator's endpoint and the role's
    keys."""
    reach = {
        "aws.endpoint": emulator.endpoint,
        "aws.credentials.provider": "ENV_VAR",
        "aws.trust.all.certificates": "true",
    }
    tables = [*tables_of(deployed, "kinesis"), *tables_of(deployed, "firehose")]
    return {table: {**deployed[table], **reach} for table in tables}
