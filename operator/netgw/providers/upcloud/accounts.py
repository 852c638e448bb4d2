"""Which credentials serve an object, and one `Account` for each of them.

| the first that applies                                        | credential                         |
|---------------------------------------------------------------|------------------------------------|
| the object's own `credentialsSecretRef` (gateways, routers)   | that Secret, in its namespace      |
| a gateway at a Router, in the same namespace                  | that of the Router                 |
| below a gateway                                               | that of the gateway                |
| below a gateway that is gone, when it was made or found       | the one recorded in status         |
| the namespace's `netgw.dev/default-credentials`               | that Secret                        |
| a namespace that may use the operator's own                   | the operator's own                 |
| otherwise                                                     | none: such an account says why     |

A credential that is used has a snapshot, a budget and a circuit of its own; two never see each other. A Secret is read
when it appears or changes, and often while UpCloud refuses it, without a restart. One that vanished serves on for
deletions only, for in a namespace that is deleted the Secret often goes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import SecretStr

from netgw.engine.objects import Object, parse_time
from netgw.engine.outcome import Stalled, Waiting
from netgw.engine.store import Store
from netgw.kube.client import Secret
from netgw.kube.defaults import CREDENTIALS
from netgw.kube.errors import KubernetesError
from netgw.kube.provider import Namespaces, Secrets
from netgw.kube.telemetry import Sample
from netgw.providers.upcloud.account import Account
from netgw.providers.upcloud.api import Credentials, CredentialsError, UpCloud
from netgw.providers.upcloud.clients import Clients
from netgw.providers.upcloud.failures import OWN_CALLER, TRAFFIC, Caller, secret_caller

log = logging.getLogger(__name__)

FIELD = "credentialsSecretRef"
UNREAD_AGAIN, SWEEP = 10.0, 60.0
RETIRED = 60.0
"""No call takes longer, with all its repetitions."""
EXPIRES = "expires-at"
KEYS = "It needs a key token, or the keys username and password."
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


class Accounts:
    """`make` makes the account of a caller that serves the objects for which the function is true.

    `may_use_own`: whether a namespace may use the operator's own credentials.
    """

    def __init__(
        self,
        clients: Clients,
        store: Store,
        secrets: Secrets,
        namespaces: Namespaces,
        make: Callable[[Caller, Callable[[Object], bool]], Account],
        may_use_own: Callable[[str], bool],
    ) -> None:
        self._clients = clients
        self._store = store
        self._secrets = secrets
        self._namespaces = namespaces
        self._make = make
        self._may_use_own = may_use_own
        self._accounts: dict[Ref, Account] = {}
        self._versions: dict[Ref, str] = {}
        self._polls: dict[Ref, asyncio.Task[None]] = {}
        self._retired: set[asyncio.Task[None]] = set()
        self._due = asyncio.Event()
        own = clients.own()
        self._has_own = own is not None
        if own is not None:
            self._account(OWN).use(own, clients.expires)
        else:
            log.warning("No credentials of the operator's own: each gateway has to name a Secret with some.")

    def samples(self) -> list[Sample]:
        """What is known of traffic and calls with every credential."""
        found: list[Sample] = []
        for ref, account in self._accounts.items():
            found += account.telemetry.samples()
            found.append(account.sample(account.username or self._recorded(ref), *ref))
        return found

    def _recorded(self, ref: Ref) -> str:
        """The account that an object records which is served with this credential: all we know before an answer."""
        served = (obj.status.get("account") for obj in self._store if self.ref(obj) == ref)
        return next((account for account in served if account), "")

    # ---- which one

    def of(self, obj: Object) -> Account:
        """The account that serves the object. It may have no credentials that can be used: `Account.hold` says so."""
        return self._account(self.ref(obj))

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

    def _none_for(self, namespace: str) -> Waiting:
        why = (
            "The operator has no UpCloud credentials of its own."
            if self._may_use_own(namespace)
            else f"Namespace {namespace} may not use the operator's own credentials "
            f"(NETGW_DEFAULT_CREDENTIALS_NAMESPACES)."
        )
        return Waiting("CredentialsNotFound", f"{why} {WHERE}")

    # ---- keeping them

    def changed(self) -> None:
        """A Secret changed, or a namespace's default: look again."""
        self._due.set()

    async def poll(self) -> None:
        """At the start: read every Secret that is needed, and one look with each."""
        for obj in self._store:
            self.of(obj)
        await self._reload()
        await asyncio.gather(*(account.poll() for account in self._accounts.values()))

    async def run(self) -> None:
        """Until cancelled: keep the credentials fresh and every account polled."""
        try:
            while True:
                self._due.clear()
                unread = await self._reload()
                await self._sweep()
                self._keep_polling()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(UNREAD_AGAIN if unread else SWEEP):
                        await self._due.wait()
        finally:
            tasks = [*self._polls.values(), *self._retired]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _account(self, ref: Ref) -> Account:
        if ref not in self._accounts:
            caller = secret_caller(*ref) if ref.name else OWN_CALLER
            account = self._accounts[ref] = self._make(caller, lambda obj: self.ref(obj) == ref)
            if ref.namespace and not ref.name:
                account.withdraw(self._none_for(ref.namespace))
            self._due.set()
        return self._accounts[ref]

    def _keep_polling(self) -> None:
        for ref, account in self._accounts.items():
            task = self._polls.get(ref)
            if task is None:
                self._polls[ref] = asyncio.create_task(account.run(), name="poll")
            elif task.done():
                task.result()  # raises: none of them may end

    async def _sweep(self) -> None:
        """What no object needs any more goes."""
        used = {OWN, *(self.ref(obj) for obj in self._store)}
        for ref in self._accounts.keys() - used:
            account = self._accounts.pop(ref)
            self._versions.pop(ref, None)
            if (task := self._polls.pop(ref, None)) is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            if (client := account.give_up()) is not None:
                self._retire(client)

    async def _reload(self) -> bool:
        """Whether a Secret is to be read again soon: it could not be read, or UpCloud refuses what is in it."""
        results = [await self._load(ref) for ref in list(self._accounts) if ref.name]
        return not all(results)

    async def _load(self, ref: Ref) -> bool:
        account, known = self._accounts[ref], self._versions.get(ref)
        try:
            meta = await self._secrets.look(ref)
            if meta is not None and meta.resource_version == known and not account.refused:
                return True
            secret = None if meta is None else await self._secrets.read(ref)
        except KubernetesError as error:
            if known is None:  # what is held is as good as it was
                said = f"Secret {ref.name} with UpCloud credentials cannot be read: {error}. Tried again every 10 s."
                account.withdraw(Waiting("CredentialsNotFound", said))
            return False
        if secret is None:
            self._versions.pop(ref, None)
            said = f"There is no Secret {ref.name} in this namespace. {KEYS} {TRAFFIC} Nothing is changed until then."
            account.withdraw(Waiting("CredentialsNotFound", said))
        elif secret.meta.resource_version != known:
            self._versions[ref] = secret.meta.resource_version
            self._take(account, ref, secret)
        return not account.refused

    def _take(self, account: Account, ref: Ref, secret: Secret) -> None:
        try:
            client = self._clients.of(credentials_of(secret))
        except CredentialsError as error:
            said = f"Secret {ref.name} holds no UpCloud credentials that can be used: {error} {KEYS}"
            account.withdraw(Stalled("InvalidCredentials", said))
            return
        log.info("credentials of Secret %s/%s are taken", ref.namespace, ref.name)
        if (old := account.use(client, _expiry(secret))) is not None:
            self._retire(old)

    def _retire(self, client: UpCloud) -> None:
        """Close it when the calls that are under way with it have ended."""

        async def later() -> None:
            await asyncio.sleep(RETIRED)
            await self._clients.close(client)

        task = asyncio.create_task(later(), name="retire")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)


def credentials_of(secret: Secret) -> Credentials:
    """`token`, or `username` and `password`; one trailing newline of each is left out. Raises CredentialsError."""
    token, username, password = (_text(secret, key) for key in ("token", "username", "password"))
    return Credentials(
        token=None if token is None else SecretStr(token),
        username=username,
        password=None if password is None else SecretStr(password),
    )


def _expiry(secret: Secret) -> datetime | None:
    """When somebody said that they expire. It stops nothing: whether UpCloud takes them, UpCloud says."""
    try:
        text = _text(secret, EXPIRES)
    except CredentialsError:
        text = ""
    expires = None if text is None else parse_time(text)
    if text is not None and expires is None:
        said = "%s of Secret %s/%s is no time such as 2026-11-22T03:00:00Z: nobody is told before it comes."
        log.warning(said, EXPIRES, secret.meta.namespace, secret.meta.name)
    return expires


def _text(secret: Secret, key: str) -> str | None:
    data = secret.data.get(key)
    if data is None:
        return None
    try:
        return data.get_secret_value().decode().removesuffix("\n").removesuffix("\r") or None
    except UnicodeDecodeError:
        raise CredentialsError(f"{key} is no text.") from None


def _name(ref: object) -> str | None:
    """From a raw spec or status, which may be anything."""
    name = ref.get("name") if isinstance(ref, Mapping) else None
    return name if isinstance(name, str) and name else None
