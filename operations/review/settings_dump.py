"""Prints the settings of an environment as JSON; run in the tree of a revision, with its own code.

{"forwarder.batch_size": {"value": 500, "default": 100, "meaning": "Records ..."}, ...}; under "" the whole.
"""

import json
import sys
from typing import Any

from settings import Settings, load


def dumped(settings: Settings) -> dict[str, Any]:
    values = settings.model_dump(mode="json")
    flat: dict[str, Any] = {"": values}

    def walk(model: Any, prefix: str, content: dict[str, Any]) -> None:
        for name, field in type(model).model_fields.items():
            inner = getattr(model, name)
            if hasattr(type(inner), "model_fields"):
                walk(inner, f"{prefix}{name}.", content[name])
            else:
                flat[f"{prefix}{name}"] = {
                    "value": content[name],
                    "default": None if field.is_required() else field.get_default(call_default_factory=True),
                    "meaning": field.description or "",
                }

    walk(settings, "", values)
    return flat


if __name__ == "__main__":
    print(json.dumps(dumped(load(sys.argv[1]))))
