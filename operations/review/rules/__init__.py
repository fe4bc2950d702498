"""What each changed value means, property by property: the rules by which a change is assessed.

A value that stands in no rule here, and of which no other part of the review speaks, is not assessed.
"""

from operations.review.alarms import TYPES as ALARMS
from operations.review.assessing import FINE, Value, Verdict, fine, value_rules
from operations.review.data import KEEPING, retention_policy
from operations.review.display_names import DASHBOARD
from operations.review.rules.delivery import DELIVERY
from operations.review.rules.functions import FUNCTIONS
from operations.review.rules.queries import QUERIES
from operations.review.rules.stores import STORES


def _kept_policy(value: Value) -> Verdict:
    if value.new not in (None, "Delete", *KEEPING):
        return None
    same = retention_policy(value.change.old, value.path) == retention_policy(value.change.new, value.path)
    return FINE if same else None


def _added(value: Value) -> Verdict:
    """Something more to wait for harms nothing; what is no longer waited for may not be there yet."""
    before, after = (side if isinstance(side, list) else [side] for side in (value.old, value.new))
    return FINE if all(one in after for one in before if one is not None) else None


_EVERYWHERE = value_rules(
    {
        "*": {
            ("Description", "ApplicationDescription", "AlarmDescription", "Tags*"): fine,
            ("DeletionPolicy", "UpdateReplacePolicy"): _kept_policy,
            "DependsOn*": _added,
        },
        DASHBOARD: {
            "DashboardBody": fine,
        },
        **{kind: {("OKActions*", "InsufficientDataActions*"): fine} for kind in ALARMS},
    }
)
RULES = (*_EVERYWHERE, *DELIVERY, *FUNCTIONS, *QUERIES, *STORES)
