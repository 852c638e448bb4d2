"""How much an operator remembers: the size of every container that can be reached from its `App`.

By owner and attribute (`Account._locks`), summed over all owners of that class, so that two moments with as many living
objects can be compared: what is larger at the later one remembers those that are gone.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

Sizes = Counter[str]


def census(root: object) -> Sizes:
    """Of everything of netgw's own below `root`, closures and bound methods too."""
    sizes: Sizes = Counter()
    seen: set[int] = set()
    left: list[tuple[str, object]] = [(type(root).__name__, root)]
    while left:
        name, found = left.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        size, inside = _look(name, found)
        if size is not None:
            sizes[name] += size
        left += inside
    return sizes


def grown(before: Sizes, after: Sizes) -> dict[str, tuple[int, int]]:
    """What is larger than it was."""
    return {name: (before[name], size) for name, size in sorted(after.items()) if size > before[name]}


def _look(name: str, found: object) -> tuple[int | None, Iterator[tuple[str, object]]]:
    """The size, where it is a container; and what is to be looked at next, by whose it is."""
    if isinstance(found, Mapping | weakref.WeakValueDictionary):
        return len(found), ((f"{name}[]", value) for value in list(found.values()))
    if isinstance(found, AbstractSet | list | tuple | deque):
        return (None if isinstance(found, tuple) else len(found)), ((f"{name}[]", value) for value in list(found))
    if isinstance(found, asyncio.Queue):
        return found.qsize(), iter(())
    if isinstance(found, partial):
        return None, iter([(name, found.func), (name, found.args)])
    if isinstance(found, Callable) and hasattr(found, "__self__"):  # type: ignore[arg-type]
        return None, iter([(name, found.__self__)])
    if hasattr(found, "__closure__"):
        cells = found.__closure__ or ()
        return None, ((name, cell.cell_contents) for cell in cells)
    return None, _attributes(found)


def _attributes(found: object) -> Iterator[tuple[str, object]]:
    kind = type(found)
    if not kind.__module__.startswith("netgw.") or ".simulator" in kind.__module__:
        return
    held: dict[str, Any] = dict(getattr(found, "__dict__", {}))
    held |= {slot: getattr(found, slot) for slot in getattr(kind, "__slots__", ()) if hasattr(found, slot)}
    for attribute, value in held.items():
        yield f"{kind.__name__}.{attribute}", value
