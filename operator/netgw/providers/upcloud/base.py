"""What the three kinds share: one account, the store that knows parents, and the answers that do not differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from netgw.engine.actuator import Links
from netgw.engine.objects import Object
from netgw.engine.outcome import Hold, Waiting
from netgw.engine.plan import Values
from netgw.engine.ports import Clock
from netgw.engine.store import Store
from netgw.providers.upcloud.account import Account


@dataclass(frozen=True)
class Context:
    """What every actuator is made of. `cluster` is the name in our mark."""

    account: Account
    store: Store
    clock: Clock
    cluster: str


class Base:
    """Common answers of the actuators. `parent_field` is the spec field that refers to the parent."""

    kind: str
    word: str
    parent_kind: str | None = None
    parent_field: str = ""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._store = context.store

    def hold(self) -> Hold | None:
        return self._account.hold()

    def account(self) -> str | None:
        return self._account.username

    def blind(self, obj: Object) -> str | None:
        return self._account.blind(obj.status.get("operationalState"))

    def effective_name(self, obj: Object) -> str:
        return str(obj.spec.get("name") or obj.name)

    def tree(self, obj: Object, parent: str | None = None) -> AbstractAsyncContextManager[None]:
        return self._account.lock(self._tree(obj))

    def _tree(self, obj: Object) -> str:
        """The uuid of the gateway at the root, as far as it is known."""
        raise NotImplementedError

    def circumstances(self, obj: Object) -> Values:
        """The gateway as it is: a call that was refused under another plan or other features may succeed now."""
        entry = self._account.known(self._tree(obj))
        if entry is None:
            return {}
        return entry.gateway.model_dump(mode="json", include={"plan", "features", "addresses", "configured_status"})

    # ---- parents

    def parent_uuid(self, obj: Object) -> str | None:
        ref = _raw_ref(obj, self.parent_field)
        if isinstance(uuid := ref.get("uuid"), str):
            return uuid
        parent = self._store.parent(obj)
        return None if parent is None else parent.uuid

    def parent_unknown(self, obj: Object) -> bool:
        return self.parent_kind is not None and self.parent_uuid(obj) is None

    def parent_hold(self, obj: Object) -> Hold | None:
        if self.parent_kind is None:
            return None
        ref = _raw_ref(obj, self.parent_field)
        if ref.get("uuid"):
            return self._unmanaged_hold(str(ref["uuid"]))
        parent = self._store.parent(obj)
        if parent is None:
            return Waiting("ParentNotFound", f"There is no {self.parent_kind} {ref.get('name')} in this namespace yet.")
        return self._managed_hold(parent)

    def _managed_hold(self, parent: Object) -> Hold | None:
        for ancestor in (parent, self._store.parent(parent)):
            if ancestor is not None and ancestor.deleting:
                return Waiting("ParentDeleting", f"{ancestor.kind} {ancestor.name} is being deleted.")
        if parent.uuid is None or self._account.is_gone(parent.uuid):
            return Waiting("ParentNotCreated", f"{parent.kind} {parent.name} does not exist in UpCloud yet.")
        return None

    def _unmanaged_hold(self, uuid: str) -> Hold | None:
        """The parent is in the cloud and no object of ours: it has to be in the snapshot."""
        raise NotImplementedError


def links(obj: Object, parent_kind: str | None, parent_field: str, secrets: Sequence[str] = ()) -> Links:
    """Read from the raw spec, which may be invalid."""
    name = _raw_ref(obj, parent_field).get("name") if parent_kind else None
    return Links((parent_kind, name) if parent_kind and isinstance(name, str) else None, tuple(secrets))


def _raw_ref(obj: Object, field: str) -> Mapping[str, Any]:
    ref = obj.spec.get(field)
    return ref if isinstance(ref, Mapping) else {}


def up_of_all(ups: Sequence[bool | None]) -> str:
    """`1/2`: how many of them are up."""
    return f"{sum(up is True for up in ups)}/{len(ups)}"
