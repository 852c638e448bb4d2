"""Two accounts in one cluster, in virtual time: alice's with the operator's own credentials, bob's by a Secret."""

from __future__ import annotations

import copy
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from pydantic import SecretStr

from netgw.engine.objects import Object
from netgw.providers.upcloud.api import Credentials
from netgw.providers.upcloud.simulator import transport
from netgw.providers.upcloud.simulator.faults import Faults
from netgw.providers.upcloud.simulator.records import Router
from support.days import TOKENS, Day, played_by
from support.history import CONNECTION, GATEWAY, KEY, ROUTER, tunnel
from support.lifeline import Witness
from support.virtual_time import VirtualLoop

ALICE, BOB = TOKENS
BOBS_ROUTER = "04b0b000-0000-4000-8000-000000000001"
HOME, TENANT = "default", "tenant"
TREE = {"edge": "NetworkGateway", "office": "VpnConnection", "office-1": "VpnTunnel"}
SECRET = "upcloud"
REF = {"credentialsSecretRef": {"name": SECRET}}


class Apart(Witness):
    """Tells the callers apart: what each asked for, and the faults that meet each."""

    def __init__(self, owner: Tenants) -> None:
        super().__init__()
        self._owner = owner
        self.asked_for: dict[str, list[str]] = {}
        self.faults: dict[str, Faults] = {}

    def of(self, token: str) -> Faults:
        return self.faults.setdefault(token, Faults())

    def asked(self, request: httpx.Request) -> None:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        path = request.url.raw_path.decode()
        self.asked_for.setdefault(token, []).append(f"{request.method} {path}")
        self._owner.world.faults = self.of(token)


class Tenants(Day):
    """In either namespace a tree of the same names: gateway edge, connection office, tunnel office-1."""

    def __init__(self, loop: VirtualLoop, *, own: str | None = ALICE, **options: Any) -> None:
        super().__init__(loop, tokens=TOKENS, **options)
        self._credentials = None if own is None else Credentials(token=SecretStr(own))
        self.world.routers[BOBS_ROUTER] = Router("bob", BOBS_ROUTER, "bobs")
        self.apart = Apart(self)
        self.witness = self.apart

    # ---- what users do

    def tree(self, namespace: str, **gateway: Any) -> None:
        """Everything at once; the gateway at the router of the account that the namespace is for."""
        router = {"uuid": ROUTER if namespace == HOME else BOBS_ROUTER}
        self.put(namespace, "edge", {**GATEWAY, "routerRef": router, **gateway})
        self.put(namespace, "office", CONNECTION)
        self.put(namespace, "office-1", tunnel())
        self.kubernetes.put_secret("office-psk", KEY.encode(), namespace)

    def put(self, namespace: str, name: str, spec: dict[str, Any]) -> None:
        self.kubernetes.apply(TREE.get(name, "NetworkGateway"), name, spec, namespace)

    def change(self, namespace: str, name: str, **over: Any) -> None:
        spec = {**copy.deepcopy(dict(self.of(namespace, name).spec)), **over}
        self.put(namespace, name, {field: value for field, value in spec.items() if value is not None})

    def hand(self, token: str | bytes | None, *, name: str = SECRET, namespace: str = TENANT, **data: bytes) -> None:
        """The Secret with credentials; with nothing at all it goes."""
        held = data if token is None else {"token": token.encode() if isinstance(token, str) else token, **data}
        self.kubernetes.put_data(name, held or None, namespace)

    def remove(self, namespace: str, *names: str) -> None:
        for name in names or TREE:
            self.kubernetes.delete(TREE[name], name, namespace)

    async def both(self) -> None:
        """Everything is up in both accounts, and what was asked so far is forgotten."""
        self.hand(BOB)
        self.tree(HOME)
        self.tree(TENANT, **REF)
        await self.start()
        await self.settle()
        self.forget()

    async def again(self, own: str | None = ALICE) -> None:
        """The process dies and another one starts."""
        await self.kill()
        self._credentials = None if own is None else Credentials(token=SecretStr(own))
        await self.start()

    async def ask_as(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """Somebody uses the API by hand."""
        before, faults = len(self.world.calls), self.world.faults
        self.world.faults = Faults()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport(self.world), base_url="http://simulator") as client:
            answer = await client.request(method, "/1.3" + path, json=body, headers=headers)
        del self.world.calls[before:]
        self.world.faults = faults
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    # ---- looking

    def of(self, namespace: str, name: str) -> Object:
        found = self.kubernetes.get(TREE.get(name, "NetworkGateway"), name, namespace)
        assert found is not None, f"{namespace}/{name} is gone"
        return found

    def tells(self, namespace: str, name: str, kind: str = "Synced") -> str:
        """The reason."""
        return str((self.of(namespace, name).condition(kind) or {}).get("reason"))

    def words(self, namespace: str, name: str, kind: str = "Synced") -> str:
        """The message."""
        return str((self.of(namespace, name).condition(kind) or {}).get("message"))

    def all_tell(self, namespace: str, reason: str, kind: str = "Synced") -> bool:
        return all(self.tells(namespace, name, kind) == reason for name in TREE)

    def in_sync(self, namespace: str) -> bool:
        return all(self.ready(self.of(namespace, name)) for name in TREE)

    def left(self, namespace: str) -> list[str]:
        return [obj.name for obj in self.objects() if obj.namespace == namespace]

    def asked(self, token: str, *methods: str) -> list[str]:
        """What was asked with this token, of these methods or of all."""
        asked = self.apart.asked_for.get(token, [])
        return [call for call in asked if not methods or call.partition(" ")[0] in methods]

    def changes(self, token: str) -> list[str]:
        return self.asked(token, "POST", "PATCH", "PUT", "DELETE")

    def forget(self) -> None:
        self.world.calls.clear()
        self.apart.asked_for.clear()

    def accounts_of(self) -> dict[str, str]:
        """Whose each gateway in the cloud is, by its uuid."""
        return {uuid: gateway.account for uuid, gateway in self.world.gateways.items()}


def play(story: Callable[[Tenants], Coroutine[Any, Any, None]], **options: Any) -> Tenants:
    """As `day`: a story, and then no secret anywhere and every status in order."""
    return played_by(Tenants, story, **options)


async def soon(what: Callable[[], bool], d: Tenants, seconds: float = 20.0) -> None:
    """Within seconds, not within an interval."""
    await d.until(what, seconds)
