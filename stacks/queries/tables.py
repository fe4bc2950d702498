"""A table over raw/ and one over rejected/: a row for each line, found by the hour of its arrival.

The one column is text: no JSON reader of Athena takes lines of several values or of arrays. Where SQL and the
contract differ: docs/start/queries.md.
"""

from aws_cdk import aws_glue as glue
from constructs import Construct

from names import RAW_PREFIX, REJECTED_PREFIX, Names

LINE, HOUR = "line", "hour"
"""The column, and the partition key: `2026/01/31/09`, in UTC, as Firehose names its folders."""
TABLES = ("raw", "rejected")
DAYS_OF_GRACE = 2
"""S3 deletes an expired object at the next midnight, or later (S3 user guide, "Expiring objects")."""


class ClickTables(Construct):
    """keep_days: after which objects below both prefixes are deleted.

    Partition projection: Athena computes the folders of the asked hours and no table of partitions exists, so
    nothing has to learn of a new hour (Athena user guide, "Amazon Data Firehose example"). An hour needs its
    interval and unit (same, "Supported types for partition projection", date type).

    RegexSerDe, as LazySimpleSerDe cuts a line at its delimiter, and damaged lines may hold any character. The
    dot matches line separators too (Trino, RegexDeserializer.java: DOTALL). Athena reads gzipped text (Athena
    user guide, "Use compression in Athena"). A row may have 32 MB, a line 200 MB (same, "Considerations and
    limitations"); a record of a stream has 10 MiB at most.
    """

    def __init__(self, scope: Construct, construct_id: str, *, keep_days: int, names: Names) -> None:
        super().__init__(scope, construct_id)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=names.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=names.query_database,
                description="Raw and rejected clicks as text, a line a row",
            ),
        )
        for name, bucket, prefix, description in (
            ("raw", names.raw_bucket, RAW_PREFIX, "Clicks as producers sent them"),
            ("rejected", names.rejected_bucket, REJECTED_PREFIX, "Clicks in no count, with the reason"),
        ):
            table = glue.CfnTable(
                self,
                name.title(),
                catalog_id=names.account,
                database_name=names.query_database,
                table_input=_table(
                    name, f"s3://{bucket}/{prefix}", description=description, keep_days=keep_days
                ),
            )
            table.add_resource_dependency(database)


def _table(name: str, location: str, *, description: str, keep_days: int) -> glue.CfnTable.TableInputProperty:
    """location: with its slash at the end."""
    projection = {
        "type": "date",
        "format": "yyyy/MM/dd/HH",
        "interval": "1",
        "interval.unit": "HOURS",
        "range": f"NOW-{keep_days + DAYS_OF_GRACE}DAYS,NOW",
    }
    return glue.CfnTable.TableInputProperty(
        name=name,
        description=description,
        table_type="EXTERNAL_TABLE",
        partition_keys=[
            glue.CfnTable.ColumnProperty(
                name=HOUR, type="string", comment="Of the arrival, in UTC: 2026/01/31/09"
            )
        ],
        parameters={
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            **{f"projection.{HOUR}.{key}": value for key, value in projection.items()},
            "storage.location.template": f"{location}${{{HOUR}}}/",
        },
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            columns=[glue.CfnTable.ColumnProperty(name=LINE, type="string")],
            location=location,
            input_format="org.apache.hadoop.mapred.TextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.serde2.RegexSerDe",
                parameters={"input.regex": "(.*)"},
            ),
        ),
    )
