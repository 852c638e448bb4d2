"""A memory of things that come and go, which does not grow with the number of those that are gone.

Nothing has to be told when one goes: when a quarter more is held than was alive at the last look, it is looked who is
alive still. So there are never more than that, or `LEAST`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LEAST = 16
"""With less than that it is not worth a look."""


class Recall(Generic[K, V]):
    """By key. `alive`: whether the thing of this key is still there."""

    def __init__(self, alive: Callable[[K], bool]) -> None:
        self._alive = alive
        self._held: dict[K, V] = {}
        self._most = LEAST

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        """What was kept last."""
        return self._held.get(key)

    def keep(self, key: K, value: V) -> None:
        """Also of a thing that is not alive yet: it stays until the next look at least."""
        if key not in self._held and len(self._held) >= self._most:
            self._held = {held: kept for held, kept in self._held.items() if self._alive(held)}
            self._most = max(LEAST, len(self._held) * 5 // 4)
        self._held[key] = value

    def forget(self, key: K) -> None:
        """Now."""
        self._held.pop(key, None)
