"""Who is spoken of in a piece of advice, and which of two is told. Pure.

Two objects that disturb each other are told once: on the younger one, for it came second and is the one to change. What
no object of ours stands for cannot be told anything, so the object that it disturbs is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netgw.engine.objects import Object


class Who(NamedTuple):
    """A connection or tunnel: how people call it, and since when there is an object for it (then its uid).

    `age` is None for what has no object. Times of Kubernetes sort as text: all are UTC, in whole seconds.
    """

    called: str
    age: tuple[str, str] | None = None


def managed(obj: Object, by: Object) -> Who:
    """Who has an object, in the words of `by`: another namespace is named, too."""
    place = obj.name if obj.namespace == by.namespace else f"{obj.namespace}/{obj.name}"
    return Who(f"{obj.kind} {place}", (str(obj.metadata.get("creationTimestamp") or ""), obj.uid))


def unmanaged(word: str, name: str, uuid: str) -> Who:
    """Who is in the cloud alone."""
    return Who(f"{word} {name} ({uuid})")


def tells(me: Who, other: Who) -> bool:
    """Whether what is wrong between the two is said on `me`."""
    return other.age is None or (me.age is not None and me.age > other.age)


def some(texts: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
