"""Which credentials serve an object.

| the first that applies                                        | credential                         |
|---------------------------------------------------------------|------------------------------------|
| the object's own `credentialsSecretRef` (gateways, routers)   | that Secret, in its namespace      |
| a gateway at a Router, in the same namespace                  | that of the Router                 |
| below a gateway                                               | that of the gateway                |
| below a gateway that is gone, when it was made or found       | the one recorded in status         |
| the namespace's `netgw.dev/default-credentials`               | that Secret                        |
| a namespace that may use the operator's own                   | the operator's own                 |
| otherwise                                                     | none: such an account says why     |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from netgw.engine.objects import Object
from netgw.engine.outcome import Waiting
from netgw.engine.store import Store
from netgw.kube.defaults import CREDENTIALS
from netgw.kube.provider import Namespaces

FIELD = "credentialsSecretRef"
WHERE = (
    "Set credentialsSecretRef on the gateway or router, or netgw.dev/default-credentials on the namespace, to a Secret "
    "with a key token, or username and password."
)


class Ref(NamedTuple):
    """A Secret with credentials, by namespace and name."""

    namespace: str
    name: str


OWN = Ref("", "")
"""The operator's own credentials. A namespace without a name: there are none for what is in it."""
ROOTS = ("NetworkGateway", "Router")
"""The kinds that name their credentials themselves; all others follow their gateway."""


class Serving:
    """`may_use_own`: whether a namespace may use the operator's own credentials. `has_own`: whether there are some."""

    def __init__(
        self, store: Store, namespaces: Namespaces, may_use_own: Callable[[str], bool], *, has_own: bool
    ) -> None:
        self._store = store
        self._namespaces = namespaces
        self._may_use_own = may_use_own
        self._has_own = has_own

    def ref(self, obj: Object) -> Ref:
        """The table above."""
        root = obj if obj.kind in ROOTS else self.gateway_of(obj)
        if root is None and self._left_behind(obj):
            named = _name(obj.status.get(FIELD))
        else:
            said = None if root is None else _name(root.spec.get(FIELD)) or self._of_router(root)
            named = said or self._namespaces.get(obj.namespace).get(CREDENTIALS)
        if named:
            return Ref(obj.namespace, named)
        return OWN if self._has_own and self._may_use_own(obj.namespace) else Ref(obj.namespace, "")

    def _of_router(self, gateway: Object) -> str | None:
        """What the Router names that a gateway is at. One of another namespace lends its credentials to nobody."""
        router = self._store.parent(gateway)
        if router is None or router.namespace != gateway.namespace:
            return None
        return _name(router.spec.get(FIELD))

    def gateway_of(self, obj: Object) -> Object | None:
        """The gateway above it, where there is one in Kubernetes."""
        top = self._top(obj)
        return top if top is not obj and top.kind in ROOTS else None

    def gateway_is_gone(self, obj: Object) -> bool:
        """Whether it is below an object that is named and is not there. One named by its uuid never was."""
        top = self._top(obj)
        return top.kind not in ROOTS and self._store.names_parent(top)

    def _top(self, obj: Object) -> Object:
        """The topmost of those above it that are known, below which it may be itself."""
        top, above = obj, self._store.parent(obj)
        while above is not None:
            top, above = above, None if above.kind in ROOTS else self._store.parent(above)
        return top

    def _left_behind(self, obj: Object) -> bool:
        """Whether it goes on with the credentials that it was made with: its gateway, which said which, is gone.

        Also in its own deletion, however its parent is named.
        """
        return (obj.uuid is not None or obj.creating) and (obj.deleting or self.gateway_is_gone(obj))

    def none_for(self, namespace: str) -> Waiting:
        """What is told of an object there that no credentials serve."""
        why = (
            "The operator has no UpCloud credentials of its own."
            if self._may_use_own(namespace)
            else f"Namespace {namespace} may not use the operator's own credentials "
            f"(NETGW_DEFAULT_CREDENTIALS_NAMESPACES)."
        )
        return Waiting("CredentialsNotFound", f"{why} {WHERE}")


def _name(ref: object) -> str | None:
    """From a raw spec or status, which may be anything."""
    name = ref.get("name") if isinstance(ref, Mapping) else None
    return name if isinstance(name, str) and name else None
