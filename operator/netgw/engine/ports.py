"""What the engine needs from the outside world, as Protocols: time, Kubernetes, and somebody who is told of changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from netgw.engine.objects import Json, Name, Object


class Clock(Protocol):
    """Monotonic seconds for intervals and the wall clock for what people read."""

    def now(self) -> float: ...

    def wall(self) -> datetime: ...


class WriteConflict(Exception):
    """The object moved since it was read: the precondition on uid and resourceVersion failed."""


class ObjectGone(Exception):
    """The object does not exist any more."""


class Unanswered(Exception):
    """Kubernetes did not answer, or does not let us now: nothing is wrong with whoever asked. It is tried again."""


class Kubernetes(Protocol):
    """Reads and writes of our own objects. Every write carries uid and resourceVersion of the object it was decided on.

    All raise `WriteConflict`, `ObjectGone` or `Unanswered`.
    """

    async def add_finalizer(self, obj: Object) -> Object: ...

    async def remove_finalizer(self, obj: Object) -> Object | None:
        """Returns what is left of the object, None when it is gone with this write."""

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        """Replace the whole status."""

    async def read(self, ref: Name) -> Object | None: ...

    async def children(self, obj: Object) -> Sequence[Name]:
        """A live LIST of the objects that refer to this one as their parent."""


class Reporter(Protocol):
    """Is told what users should hear of: becomes a Kubernetes Event. Never waits, never fails."""

    def event(self, obj: Object, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None: ...
