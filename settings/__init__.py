"""What may differ between environments, checked before synthesis: environments/<name>.toml.

One module a section. `load()` reads an environment, then checks that its settings fit each other
(consistency.py), that every hop carries the declared peak (capacity.py) and that no click is later than the
declared target (latency.py).
"""

from settings.environment import LogDays, Settings
from settings.loading import ENVIRONMENTS, SettingsError, load

__all__ = ["ENVIRONMENTS", "LogDays", "Settings", "SettingsError", "load"]
