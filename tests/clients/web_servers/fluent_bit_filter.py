"""The Lua of the rendered configuration, run as Fluent Bit runs it: a batch at a time."""

import importlib
import importlib.util
import json
from collections.abc import Callable
from typing import Any

import yaml

from clients.web_servers.rendering import rendered
from settings import load

Batch = Callable[[list[str]], list[dict[str, Any]]]

RUNTIMES = [name for name in ("lua51", "luajit21") if importlib.util.find_spec(f"lupa.{name}")]
"""Fluent Bit has LuaJIT 2.1; not every platform's wheel of lupa does."""


def batch_filter(runtime: str, before: str = "") -> Batch:
    """The filter as a function of the lines of a batch.

    As in Fluent Bit 5.1, plugins/filter_lua/lua.c: an error, or an empty table with the code for "changed",
    leaves the whole batch as it was. `before` is Lua that runs first.
    """
    [settings] = yaml.safe_load(rendered(load("production"))["fluent-bit.yaml"])["pipeline"]["filters"]
    module = importlib.import_module(f"lupa.{runtime}")
    lua = module.LuaRuntime(unpack_returned_tuples=True)
    lua.execute(before)
    lua.execute(settings["code"])
    call = lua.globals()[settings["call"]]

    def as_lua(value: Any) -> Any:
        if isinstance(value, dict):
            return lua.table_from({name: as_lua(each) for name, each in value.items() if each is not None})
        if isinstance(value, list):
            return lua.table_from([as_lua(each) for each in value])
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return float(value) if is_integer else value  # Lua's only kind of number

    def of_lines(lines: list[str]) -> list[dict[str, Any]]:
        untouched = [json.loads(line) for line in lines]
        sent = []
        for record in untouched:
            try:
                code, _, table = call("click", 0.0, as_lua(record))
            except module.LuaError:
                return untouched
            assert code in {0, 2}
            if code and not dict(table):
                return untouched
            sent.append(dict(table) if code else record)
        return sent

    return of_lines
