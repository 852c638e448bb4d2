"""What is watched while a history is played: the rules of `support.audit`, and that no log record shows a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from netgw.engine.objects import Object, parse_time
from netgw.kube.errors import KubernetesError
from support.audit import SECRETS, Audit
from support.simulation.scene import KEEPING, TOKENS, Scene

SHOWN_NEVER = tuple({*SECRETS, *TOKENS})


class Watch(Audit):
    """The audit of a scene, whose operators may have a clock that is off."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene, SHOWN_NEVER)
        self._scene = scene
        self._made_anew: set[str] = set()
        scene.by_hand_at = self._made_by_hand
        scene.restored = self._restored

    def lost(self, uuid: str) -> bool:
        """Whether it was made for an object that ought to record it, or to have deleted it.

        Not where the object's status was lost, and not where it was to be kept at any time.
        """
        uid = self.made.get(uuid)
        excused = self._scene.wiped | self._scene.kept
        return uid is not None and uid not in excused and not any(map(_is_kept, self._versions(uid)))

    def _versions(self, uid: str) -> Iterator[Object]:
        for _, kind, _, body in self._scene.kubernetes.journal:
            if body["metadata"]["uid"] == uid:
                yield Object(kind, body)

    def _made_by_hand(self, uuid: str) -> None:
        self.by_hand[uuid] = self._scene.true.now()

    def _restored(self, uuid: str | None, uid: str) -> None:
        if uuid is not None:
            self.owners[uuid] = uid
        self._made_anew.add(uid)

    def _status_written(self, before: Object, after: Object) -> None:
        if after.uid in self._made_anew:  # its status is of an object that had seen more generations
            before = Object(before.kind, {**before.body, "status": {}})
            seen = after.status.get("observedGeneration") or 0
            if seen > after.generation:
                after = Object(after.kind, {**after.body, "metadata": {**after.metadata, "generation": seen}})
            else:
                self._made_anew.remove(after.uid)
        super()._status_written(before, after)

    def _deleting_for(self, obj: Object) -> float:
        since = parse_time(obj.metadata.get("deletionTimestamp"))
        return 0.0 if since is None else (self._scene.true.wall() - since).total_seconds()


def _is_kept(obj: Object) -> bool:
    """Whether what is in the cloud is to stay there when the object goes."""
    said = {
        obj.spec.get("deletionPolicy"),
        obj.spec.get("managementPolicy"),
        *(obj.status.get("policies") or {}).values(),
    }
    return not said.isdisjoint(KEEPING) or obj.annotation("force-orphan") is not None


@contextmanager
def log_watched(found: list[str]) -> Iterator[None]:
    """Collects what is logged as an error, but for an API server that is away on purpose, and any secret shown."""

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if any(secret in text for secret in SHOWN_NEVER):
                found.append(f"a secret is logged: {text}")
            if record.levelno >= logging.ERROR:
                error = record.exc_info[1] if record.exc_info else None
                if not isinstance(error, KubernetesError):
                    found.append(self.format(record))

    handler, logger = Keep(logging.DEBUG), logging.getLogger("netgw")
    level, passes_on = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = passes_on
