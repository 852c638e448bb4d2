"""Argo CD as far as we need it: its health checks in a real Lua, opened as Argo CD opens it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lupa import lua51  # type: ignore[import-untyped]

STATES = ("Healthy", "Progressing", "Degraded", "Suspended")
CLOSED = ("string", "os", "io", "math", "debug", "coroutine", "require", "dofile", "loadfile")
"""What Argo CD does not open unless it is told to."""


class Health(NamedTuple):
    """What the user interface shows."""

    status: str
    message: str


class HealthCheck:
    """One script, run over objects as the API server sends them."""

    def __init__(self, script: str) -> None:
        self._lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
        for name in CLOSED:
            self._lua.globals()[name] = None
        self._run = self._lua.eval("function(script, object) obj = object; return assert(loadstring(script))() end")
        self._script = script

    def __call__(self, obj: Mapping[str, Any]) -> Health:
        plain = json.loads(json.dumps(obj))
        found = self._run(self._script, self._lua.table_from(plain, recursive=True))
        assert found.status in STATES, found.status
        return Health(str(found.status), str(found.message or ""))
