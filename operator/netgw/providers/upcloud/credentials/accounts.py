"""One `Account` for each credential that serves an object.

A credential that is used has a snapshot, a budget and a circuit of its own; two never see each other. A Secret is read
when it appears or changes, and often while UpCloud refuses it, without a restart. One that vanished serves on for
deletions only, for in a namespace that is deleted the Secret often goes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from netgw.engine.objects import Object
from netgw.engine.outcome import Stalled, Waiting
from netgw.engine.store import Store
from netgw.kube.client import Secret
from netgw.kube.errors import KubernetesError
from netgw.kube.provider import Namespaces, Secrets
from netgw.kube.telemetry import Sample
from netgw.providers.upcloud.account import Account
from netgw.providers.upcloud.api import CredentialsError, UpCloud
from netgw.providers.upcloud.credentials.clients import Clients
from netgw.providers.upcloud.credentials.secret import KEYS, credentials_of, expiry_of
from netgw.providers.upcloud.credentials.serving import OWN, Ref, Serving
from netgw.providers.upcloud.failures import OWN_CALLER, TRAFFIC, Caller, secret_caller

log = logging.getLogger(__name__)

UNREAD_AGAIN, SWEEP = 10.0, 60.0
RETIRED = 60.0
"""No call takes longer, with all its repetitions."""


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
        self._make = make
        self._accounts: dict[Ref, Account] = {}
        self._versions: dict[Ref, str] = {}
        self._polls: dict[Ref, asyncio.Task[None]] = {}
        self._retired: set[asyncio.Task[None]] = set()
        self._due = asyncio.Event()
        own = clients.own()
        self.serving = Serving(store, namespaces, may_use_own, has_own=own is not None)
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
        served = (obj.status.get("account") for obj in self._store if self.serving.ref(obj) == ref)
        return next((account for account in served if account), "")

    def of(self, obj: Object) -> Account:
        """The account that serves the object. It may have no credentials that can be used: `Account.hold` says so."""
        return self._account(self.serving.ref(obj))

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
            account = self._accounts[ref] = self._make(caller, lambda obj: self.serving.ref(obj) == ref)
            if ref.namespace and not ref.name:
                account.withdraw(self.serving.none_for(ref.namespace))
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
        used = {OWN, *(self.serving.ref(obj) for obj in self._store)}
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
        if (old := account.use(client, expiry_of(secret))) is not None:
            self._retire(old)

    def _retire(self, client: UpCloud) -> None:
        """Close it when the calls that are under way with it have ended."""

        async def later() -> None:
            await asyncio.sleep(RETIRED)
            await self._clients.close(client)

        task = asyncio.create_task(later(), name="retire")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
