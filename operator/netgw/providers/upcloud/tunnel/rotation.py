"""Takes the steps that `generation` decides on: at most one write to a Secret in a turn, where a spec asks for it.

A turn that wrote tells nothing but that; the next one sees what is there and tells it, so a death in between costs no
news. Where status knows the Secret as it is, and no step is due, the Secret is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, assert_never

from pydantic import SecretBytes

from netgw.engine.objects import Json, Object
from netgw.engine.outcome import Waiting
from netgw.engine.ports import Clock
from netgw.engine.store import Store
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError, NamespaceTerminating, ObjectGone, WriteConflict
from netgw.kube.provider import Fingerprints, Making, Secrets
from netgw.providers.upcloud.ipsec import Authentication
from netgw.providers.upcloud.psk import GoodKey, check, strong
from netgw.providers.upcloud.tunnel.generation import (
    BLOCKED_AGAIN,
    Blocked,
    DropPrevious,
    MakeSecret,
    Note,
    Nothing,
    Record,
    Slots,
    Step,
    Switch,
    WriteNext,
    conflict,
    decide,
    decide_missing,
    decider,
)
from netgw.providers.upcloud.tunnel.model import Phase
from netgw.providers.upcloud.tunnel.record import read_record, remembered, shown, write_record
from netgw.providers.upcloud.tunnel.sharers import Place, sharers_of

ROLE = "deploy/rbac-key-generation.yaml"
AGAIN = 30.0
HELD = "PskRotationHeld"


class Notice(NamedTuple):
    """What users should hear of: an Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Turn:
    """What came of it. `fields`: of status, where there is something to say. `wrote`: the Secret was changed."""

    fields: Mapping[str, Json] = field(default_factory=dict)
    hold: Waiting | None = None
    after: float | None = None
    warnings: tuple[str, ...] = ()
    events: tuple[Notice, ...] = ()
    wrote: bool = False


class Rotation:
    """Makes and rotates the keys of tunnels that ask for it by `pskGeneration`."""

    def __init__(
        self, store: Store, clock: Clock, secrets: Secrets, fingerprints: Fingerprints, making: Making
    ) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._fingerprints = fingerprints
        self._making = making

    async def turn(self, obj: Object, authentication: Authentication | None, *, here: bool, may_write: bool) -> Turn:
        """`here`: the tunnel is in the cloud. `may_write`: this pass may change something, and be it a Secret."""
        ref = None if authentication is None else authentication.psk_secret_ref
        if authentication is None or ref is None or authentication.psk_generation is None:
            return Turn({"pskRotation": None})
        me, others = sharers_of(obj, self._store, here=here)
        place = Place(obj.namespace, ref, me, others)
        asked = decider((me, *others)) is not None
        try:
            meta = await self._secrets.look(place.at)
            if meta is None:
                return await self._missing(place, may_write=may_write)
            if not here or not asked:
                return Turn({"pskRotation": None})
            return await self._present(obj, place, meta, may_write=may_write)
        except KubernetesError:
            return Turn(after=AGAIN)  # of the same, the key is held, in words that say why

    async def _missing(self, place: Place, *, may_write: bool) -> Turn:
        step = decide_missing(place.where, place.me, place.others)
        if isinstance(step, Blocked):
            return Turn(hold=Waiting("SecretNotFound", f"There is no Secret {place.ref.name}. {step.what}"))
        if not may_write:
            said = f"There is no Secret {place.ref.name} in this namespace. It is made when netgw may change something."
            return Turn(hold=Waiting("SecretNotFound", said))
        key = strong(self._making.choose)
        record = Record(self._clock.wall(), self._fingerprints.fingerprint(key))
        data = {place.ref.key: SecretBytes(key.get_secret_value().encode())}
        try:
            await self._making.writer.create(*place.at, data, write_record({}, place.ref.key, record))
        except WriteConflict:
            await self._secrets.read(place.at)  # somebody else was faster, and theirs is the one
            return Turn(after=0.0)
        except KubernetesError as error:
            return Turn(hold=_refused("SecretNotFound", f"Secret {place.ref.name} cannot be made", error))
        await self._secrets.read(place.at)
        made = f"Secret {place.ref.name} was made"
        return Turn(
            hold=Waiting("SecretNotFound", f"{made}; the tunnel gets its key next.", 0.0),
            events=(Notice("Normal", "PskGenerated", f"{made}, with a strong key in {place.ref.key} for the peer."),),
            wrote=True,
        )

    async def _present(self, obj: Object, place: Place, meta: SecretMeta, *, may_write: bool) -> Turn:
        slots = self._remembered(obj, meta)
        if slots is not None and isinstance(step := self._decide(place, slots), Nothing):
            return _told(obj, place, meta, slots, step)
        secret = await self._secrets.read(place.at)
        if secret is None:
            return Turn()
        slots = self._slots(place, secret)
        step = self._decide(place, slots)
        if isinstance(step, Nothing | Blocked) or not may_write:
            return _told(obj, place, secret.meta, slots, step)
        try:
            await self._write(place, secret, step)
        except (WriteConflict, ObjectGone):
            await self._secrets.read(place.at)
            return Turn(after=1.0)
        except KubernetesError as error:
            held = _refused(HELD, f"Secret {place.ref.name} cannot be written", error)
            return replace(_told(obj, place, secret.meta, slots, Nothing()), hold=held)
        await self._secrets.read(place.at)  # so that all who use it hear of it at once
        return Turn(after=0.0, wrote=True)

    def _remembered(self, obj: Object, meta: SecretMeta) -> Slots | None:
        looked_at = obj.status.get("observedGeneration") == obj.generation  # else the reference may name another key
        slots = remembered(obj.status, meta.resource_version) if looked_at else None
        return slots if slots is not None and self._fingerprints.knows(slots.current or "") else None

    def _slots(self, place: Place, secret: Secret) -> Slots:
        """Fingerprints made by a key that is lost cannot be compared: then what the record says is believed."""
        current, following, former = (self._fingerprint(secret.data.get(name)) for name in place.slots)
        record = read_record(secret.notes, place.ref.key)
        if record.fingerprint is not None and not self._fingerprints.knows(record.fingerprint):
            record = replace(record, fingerprint=current)
        if record.previous is not None and not self._fingerprints.knows(record.previous):
            record = replace(record, previous=former)
        return Slots(current, following, former, record)

    def _fingerprint(self, data: SecretBytes | None) -> str | None:
        if data is None:
            return None
        good = check(data.get_secret_value())
        return self._fingerprints.fingerprint(good.key) if isinstance(good, GoodKey) else ""

    def _decide(self, place: Place, slots: Slots) -> Step:
        return decide(slots, place.where, place.ref.key, place.me, place.others, self._clock.wall())

    async def _write(self, place: Place, secret: Secret, step: Step) -> None:
        key, following, former = place.slots
        put: dict[str, SecretBytes] = {}
        remove: tuple[str, ...] = ()
        match step:
            case Note(record=record):
                pass
            case WriteNext(record=record, make=make):
                if make:
                    put = {following: SecretBytes(strong(self._making.choose).get_secret_value().encode())}
            case Switch(record=record):
                put, remove = {key: secret.data[following], former: secret.data[key]}, (following,)
            case DropPrevious(record=record):
                remove = (former,)
            case Nothing() | Blocked() | MakeSecret():
                return
            case _:
                assert_never(step)
        annotations = write_record(secret.notes, key, record)
        await self._making.writer.patch(secret.meta, put=put, remove=remove, annotations=annotations)


def _told(obj: Object, place: Place, meta: SecretMeta, slots: Slots, step: Step) -> Turn:
    said = shown(slots, meta.resource_version, place.where, place.me, place.others)
    hold = None
    if isinstance(step, Blocked):
        what = f"The rotation of Secret {place.ref.name}/{place.ref.key} cannot go on. {step.what}"
        hold = Waiting(HELD, what, BLOCKED_AGAIN)
    return Turn(
        fields={"pskRotation": said},
        hold=hold,
        after=step.after if isinstance(step, Nothing) else None,
        warnings=tuple(filter(None, (conflict(place.me, place.others),))),
        events=_news(obj.status.get("pskRotation"), said, place) if place.chief else (),
    )


def _news(before: Json, said: Mapping[str, str] | None, place: Place) -> tuple[Notice, ...]:
    """Of a phase that status does not show yet."""
    was = before if isinstance(before, Mapping) else {}
    key, following, former = place.slots
    match (said or {}).get("phase"):
        case Phase.ANNOUNCED if said and was.get("nextFingerprint") != said["nextFingerprint"]:
            text = (
                f"The next key is in Secret {place.ref.name}/{following}, for the peer. It becomes the key at "
                f"{said['switchAt']}, or at once with netgw.dev/approve={said['approval']}"
            )
            return (Notice("Normal", "PskRotationAnnounced", text),)
        case Phase.SWITCHED if was.get("phase") != Phase.SWITCHED:
            text = (
                f"The next key is the one in Secret {place.ref.name}/{key} now. The former one stays in {former} until "
                f"every tunnel that uses it is up."
            )
            return (Notice("Normal", "PskSwitched", text),)
        case _:
            return ()


def _refused(reason: str, what: str, error: KubernetesError) -> Waiting:
    if error.status == 403 and not isinstance(error, NamespaceTerminating):
        said = f"{what}: netgw is not allowed to. pskGeneration needs a role of its own, apply {ROLE}."
        return Waiting(reason, said, BLOCKED_AGAIN)
    return Waiting(reason, f"{what}: {error}. Tried again every 30 s.", AGAIN)
