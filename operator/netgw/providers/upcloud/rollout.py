"""One after the other: an interrupting change is held while another of the group is down because of one.

The group of a tunnel: those of its connection, and those that share its Secret; of a gateway: those of its credentials.
What is down is never held. `status.interruptedAt` is written before the change goes out and taken back when the object
is up again in a look that began late enough after it; a look too close could still show it up from before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from netgw.engine.objects import Json, Object, format_time, parse_time
from netgw.engine.outcome import Waiting
from netgw.engine.ports import Clock
from netgw.engine.recall import Recall

AGAIN = 30.0
WRITTEN = 60.0
"""After so many seconds the status says whether a change went out: one that was refused holds nobody."""


class Rollout:
    """`grace`: seconds before what looks up is believed to be up again. `alive`: of an object, by uid."""

    def __init__(self, clock: Clock, grace: float, alive: Callable[[str], bool]) -> None:
        self._clock = clock
        self._grace = grace
        self._begun: Recall[str, float] = Recall(alive)

    def begin(self, obj: Object, group: Iterable[Object]) -> Waiting | Mapping[str, Json]:
        """Hold, naming the other of the group; or the status field to write before the change goes out."""
        for other in group:
            if other.uid == obj.uid:
                continue
            if other.status.get("interruptedAt") or self._just_begun(other):
                return Waiting(
                    "RolloutHeld",
                    f"Waits until {other.kind} {other.name}, which is being changed, is up again: one after the other.",
                    AGAIN,
                )
        # Noted here at once, because the write of the status takes time in which another object may ask.
        self._begun.keep(obj.uid, self._clock.now())
        return {"interruptedAt": format_time(self._clock.wall())}

    def interrupted(self, obj: Object, *, up: bool, began: float) -> tuple[str | None, float | None]:
        """What `status.interruptedAt` is to be, and in how many seconds to ask again. `began`: of the look."""
        text: str | None = obj.status.get("interruptedAt")
        at = parse_time(text)
        if at is None:
            self._begun.forget(obj.uid)
            return None, None
        if not up:
            return text, None
        if began < self._sent(obj, at) + self._grace:
            return text, self._grace / 2  # the next look is on its way
        self._begun.forget(obj.uid)
        return None, None

    def _sent(self, obj: Object, at: datetime) -> float:
        """When the change went out, monotonic; of a change before our start only the wall clock knows."""
        if (begun := self._begun.get(obj.uid)) is not None:
            return begun
        ago = (self._clock.wall() - at).total_seconds()
        if ago < 0:  # the wall clock was set back: as if it went out when that is seen first
            self._begun.keep(obj.uid, self._clock.now())
        return self._clock.now() - max(ago, 0.0)

    def _just_begun(self, obj: Object) -> bool:
        begun = self._begun.get(obj.uid)
        return begun is not None and self._clock.now() - begun < WRITTEN
