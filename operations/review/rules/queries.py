"""What analysts ask in SQL: the tables, and the workgroup that limits what a query reads."""

from operations.review.assessing import Value, Verdict, always, elsewhere, fine, unless, value_rules
from operations.review.findings import Kind

_CONFIGURATION = "WorkGroupConfiguration"


def _limit(value: Value) -> Verdict:
    """Bytes that one query may read; without it, no limit."""
    before, after = (float("inf") if side is None else side for side in (value.old, value.new))
    if not all(isinstance(side, int | float) for side in (before, after)):
        return None
    if after > before:
        return Kind.COST, "**A query in the {title} may read more**: {old} → {new} bytes, at USD 5 a TB."
    return Kind.NOTE, "A query in the {title} may read less: {old} → {new} bytes. A larger one is cancelled."


QUERIES = value_rules(
    {
        "AWS::Athena::WorkGroup": {
            f"{_CONFIGURATION}.BytesScannedCutoffPerQuery": _limit,
            f"{_CONFIGURATION}.EnforceWorkGroupConfiguration": unless(
                True,
                kind=Kind.PROTECTION_LOST,
                text="**Whoever asks in the {title} may keep the answers elsewhere**, where they do not "
                "expire.",
            ),
            f"{_CONFIGURATION}.ResultConfiguration.OutputLocation": elsewhere(
                Kind.DATA_LEFT, "**The {title} keeps answers in another place from now on**"
            ),
            "State": unless(
                "ENABLED", None, kind=Kind.BROKEN, text="**The {title} runs no query any more**: it is {new}."
            ),
        },
        "AWS::Glue::Table": {
            # The hours of which objects exist; what an object's bucket deletes, the review of data tells.
            "TableInput.Parameters.projection.hour.range": fine,
            (
                "TableInput.Parameters.*",
                "TableInput.StorageDescriptor*",
                "TableInput.PartitionKeys*",
                "TableInput.Name",
                "TableInput.TableType",
            ): always(
                Kind.BROKEN,
                "**Queries of the {title} that were written until now may find nothing, or fail**: "
                "{old} → {new}.",
            ),
        },
    }
)
