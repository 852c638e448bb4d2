"""What the kinds share: the accounts, the store that knows parents, and the answers that do not differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network

from netgw.engine.actuator import Action, External, InvalidSpec, Links
from netgw.engine.objects import Object
from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.ownership import MARK, is_mine
from netgw.engine.plan import Change, Values
from netgw.engine.ports import Clock
from netgw.engine.store import Store
from netgw.kube.resource import Spec
from netgw.providers.upcloud.advice.around import Advisor
from netgw.providers.upcloud.api import Gateway
from netgw.providers.upcloud.credentials.accounts import Accounts
from netgw.providers.upcloud.credentials.serving import FIELD as CREDENTIALS
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.gateway.state import is_ending
from netgw.providers.upcloud.gateway.view import Gateways
from netgw.providers.upcloud.room import Room


@dataclass(frozen=True)
class Context:
    """What every actuator is made of. `cluster`: the name in our mark. `cluster_networks`: of pods and services."""

    accounts: Accounts
    store: Store
    clock: Clock
    cluster: str
    cluster_networks: tuple[IPv4Network, ...] = ()


class Base:
    """Common answers of the actuators. `parent_field` is the spec field that refers to the parent."""

    kind: str
    word: str
    parent_kind: str | None = None
    parent_field: str = ""
    actions: Sequence[Action] = ()
    cascades = True
    anew = "recreatePolicy is Never"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._serving = context.accounts.serving
        self._account = context.accounts.of
        self._store = context.store
        self._advisor = Advisor(context.store, self.effective_name, context.cluster_networks)

    def _gateways(self, obj: Object) -> Gateways:
        return self._account(obj).gateways

    def hold(self, obj: Object) -> Hold | None:
        account = self._account(obj)
        return account.withdrawn(obj.deleting) or account.hold()

    def account(self, obj: Object) -> str | None:
        return self._account(obj).username

    def credentials(self, obj: Object) -> str | None:
        return self._serving.ref(obj).name or None

    def heir_of(self, obj: Object) -> tuple[bool, Object | None]:
        gateway = self._serving.gateway_of(obj)
        if self.parent_kind is None or gateway is not None:
            return self.parent_kind is not None, gateway
        bound = obj.uuid is not None or obj.creating  # before, there was none whose word could count
        return bound and self._serving.gateway_is_gone(obj), None

    def blind(self, obj: Object) -> str | None:
        return self._account(obj).blind(self._last_seen(obj))

    def owned_by(self, obj: Object, external: External) -> str | None:
        return None if external.owner is None or self._is_mine(obj, external) else external.owner

    def _is_mine(self, obj: Object, external: External) -> bool:
        """By its mark; what carries none is known by its place."""
        return is_mine(external.owner, self._context.cluster, obj, self._store.alive)

    async def act(self, obj: Object, external: External, action: Action) -> None:
        raise NotImplementedError

    async def unmark(self, obj: Object, external: External) -> None:
        """There is none."""

    def batches(self, changes: Sequence[Change]) -> Sequence[tuple[Change, ...]]:
        """One call for all."""
        return [tuple(changes)] if changes else []

    def _last_seen(self, obj: Object) -> str | None:
        """What the last look saw of it, in a few words."""
        raise NotImplementedError

    def effective_name(self, obj: Object) -> str:
        return str(obj.spec.get("name") or obj.name)

    def tree(self, obj: Object, parent: str | None = None) -> AbstractAsyncContextManager[None]:
        return self._account(obj).lock(self._root(obj, parent))

    def _root(self, obj: Object, parent: str | None = None) -> str:
        """The uuid of the gateway at the root, as far as it is known; `parent`: under which it is about to be made."""
        raise NotImplementedError

    def circumstances(self, obj: Object) -> Values:
        """The account, and the gateway as it is: what another one refused, or for want of room, may succeed now."""
        account = self._account(obj)
        whose = {"account": account.username}
        entry = account.gateways.known(self._root(obj, self.parent_uuid(obj)))
        if entry is None:
            return whose
        decides = {"plan", "features", "addresses", "configured_status", "automatic_tunnel_internal_ip_allocation"}
        seen = entry.gateway.model_dump(mode="json", include=decides)
        return whose | seen | {"connections": len(entry.connections), "tunnels": len(list(entry.tunnels()))}

    # ---- parents

    def parent_uuid(self, obj: Object) -> str | None:
        if (uuid := _ref(obj, self.parent_field, "uuid")) is not None:
            return uuid
        parent = self._store.parent(obj)
        return None if parent is None else parent.uuid

    def parent_unknown(self, obj: Object) -> bool:
        return self.parent_kind is not None and self.parent_uuid(obj) is None

    def parent_hold(self, obj: Object) -> Hold | None:
        if self.parent_kind is None:
            return None
        uuid, parent = _ref(obj, self.parent_field, "uuid"), self._store.parent(obj)
        if parent is not None:
            held = self._managed_hold(obj, parent)
        elif uuid is not None:
            held = self._unmanaged_hold(obj, uuid)
        else:
            name = _ref(obj, self.parent_field, "name")
            held = Waiting("ParentNotFound", f"There is no {self.parent_kind} {name} in this namespace yet.")
        return held or self._ending_hold(obj, self._root(obj, self.parent_uuid(obj)))

    def _managed_hold(self, obj: Object, parent: Object) -> Waiting | None:
        for ancestor in (parent, self._store.parent(parent)):
            if ancestor is not None and ancestor.deleting:
                return Waiting("ParentDeleting", f"{ancestor.kind} {ancestor.name} is being deleted.")
        called = f"{parent.kind} {parent.name}"
        if parent.uuid is None:
            return Waiting("ParentNotCreated", f"{called} does not exist in UpCloud yet.")
        if any(self._gateways(obj).is_gone(str(uuid)) for uuid in (parent.uuid, parent.status.get("gatewayUuid"))):
            return Waiting("ParentNotCreated", f"{called} does not exist in UpCloud any more.")
        return None

    def _unmanaged_hold(self, obj: Object, uuid: str) -> Waiting | None:
        """The parent is in the cloud and no object of ours: it has to be in the snapshot."""
        raise NotImplementedError

    def _ending_hold(self, obj: Object, gateway: str) -> Waiting | None:
        """Nothing is made under a gateway that somebody deletes in the cloud."""
        entry = self._gateways(obj).known(gateway)
        if entry is None or not is_ending(entry.gateway):
            return None
        return Waiting("ParentDeleting", f"Gateway {entry.gateway.name} ({gateway}) is being deleted in UpCloud.")

    def _parent_missing(self, obj: Object) -> Hold | None:
        """Of something that exists: it is not known any more what the reference to its parent means."""
        return self.parent_hold(obj) if self.parent_unknown(obj) else None

    def _moved(self, obj: Object, external: External, parent_word: str) -> Stalled | None:
        """A reference that now means another parent; one that only changed its form means the same uuid."""
        parent = self.parent_uuid(obj)
        if parent is None or parent == external.parent:
            return None
        return Stalled(
            "ImmutableField",
            f"spec.{self.parent_field} now means {parent_word} {parent}, but this {self.word} is in {external.parent}, "
            f"which still exists. Nothing is changed. Set it back, or delete this object and make a new {self.kind}.",
        )

    def _room(self, obj: Object, entry: Entry) -> Room:
        holder = self._store.holder(entry.gateway.uuid)
        return Room(entry, self._account(obj).plans, None if holder is None else holder.name)

    def _is_ours(self, gateway: Gateway) -> bool:
        """Whether it carries the mark of the object that records it: what is only observed does not."""
        holder = self._store.holder(gateway.uuid)
        owner = next((label.value for label in gateway.labels if label.key == MARK), None)
        return holder is not None and is_mine(owner, self._context.cluster, holder, self._store.alive)

    @contextmanager
    def _counting(self, obj: Object, gateway: str) -> Iterator[None]:
        """A refusal for want of room is told with the numbers, for the API's words do not say what is counted."""
        try:
            yield
        except CallFailed as failure:
            entry = self._gateways(obj).known(gateway)
            if failure.outcome.reason == "QuotaReached" and entry is not None:
                failure.outcome = self._room(obj, entry).full(self.word, failure.words)
            raise


def links(obj: Object, parent_kind: str, parent_field: str, secrets: Sequence[str] = ()) -> Links:
    """Read from the raw spec, which may be invalid."""
    name, uuid = _ref(obj, parent_field, "name"), _ref(obj, parent_field, "uuid")
    return Links(
        credentials=_ref(obj, CREDENTIALS, "name"),
        parent=None if name is None else (parent_kind, name),
        parent_uuid=None if uuid is None else (parent_kind, uuid),
        secrets=tuple(secrets),
    )


def validated(spec: Spec) -> None:
    """What admission checks as well, for objects that came in before it did. Raises InvalidSpec."""
    missing = () if spec.import_ is not None else spec.missing()
    if missing:
        raise InvalidSpec(f"{', '.join(missing)}: required, unless spec.import names what exists.")


def managed_name(spec: Spec, name: str | None, effective: str) -> str | None:
    """The name that the spec wants; what was imported keeps its own unless spec.name is set."""
    return effective if spec.import_ is None else name


def contradiction(gateway: str, part: str) -> CallFailed:
    """What was read of a gateway lacks a part that answers when it is asked for: neither there nor gone."""
    said = f"UpCloud contradicts itself: gateway {gateway} does not list {part}, which answers. Looked at again."
    return CallFailed(Waiting("CloudUnavailable", said), backoff=True)


def _ref(obj: Object, field: str, part: str) -> str | None:
    ref = obj.spec.get(field)
    value = ref.get(part) if isinstance(ref, (dict, Mapping)) else None
    return value if isinstance(value, str) else None
