"""What all sections of the settings have in common: unknown keys are refused, values cannot change."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
