"""Commands that change data. They stand above the clients, in operations/, which the wheel does not carry."""

from importlib import import_module

import typer

MODULES: tuple[str, ...] = (
    "operations.correction.command",
    "operations.erasure.command",
    "operations.reconciliation.command",
    "operations.replay.command",
    "operations.segments.commands",
)
"""Modules of operations/ with `add_to(app)`. They import what is slow in their commands."""


def add_operator_commands(app: typer.Typer) -> None:
    """Add them where the whole tree is there: in the wheel this module has another name."""
    if __name__.startswith("clients."):
        for module in MODULES:
            import_module(module).add_to(app)
