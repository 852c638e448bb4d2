"""UpCloud as one value: its kinds, its client, and the actuators over the accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from netgw.engine.actuator import Actuator
from netgw.engine.objects import Object
from netgw.kube.provider import ConfigurationError, Parts, Provider
from netgw.kube.telemetry import Sample
from netgw.providers.upcloud.account import ACCOUNT_REASONS, Account
from netgw.providers.upcloud.api import BaseUrlError, CredentialsError, TrustError
from netgw.providers.upcloud.base import Context
from netgw.providers.upcloud.connection import model as connection
from netgw.providers.upcloud.connection.actuator import ConnectionActuator
from netgw.providers.upcloud.credentials.accounts import Accounts
from netgw.providers.upcloud.credentials.clients import Clients
from netgw.providers.upcloud.failures import Caller
from netgw.providers.upcloud.gateway import model as gateway
from netgw.providers.upcloud.gateway.actuator import GatewayActuator
from netgw.providers.upcloud.rollout import Rollout
from netgw.providers.upcloud.router import model as router
from netgw.providers.upcloud.router.actuator import RouterActuator
from netgw.providers.upcloud.tunnel import model as tunnel
from netgw.providers.upcloud.tunnel.actuator import TunnelActuator
from netgw.providers.upcloud.tunnel.key import Keys
from netgw.providers.upcloud.tunnel.rotation import Rotation


class UpCloudBackend:
    """Every account that is in use, observed and changed."""

    passing_reasons = ACCOUNT_REASONS

    def __init__(self, clients: Clients, parts: Parts) -> None:
        def account(caller: Caller, serves: Callable[[Object], bool]) -> Account:
            return Account(
                caller=caller,
                clock=parts.clock,
                rng=parts.rng,
                intervals=parts.intervals,
                listener=parts.listener_for(serves),
                sampling=parts.sampling,
            )

        self.accounts = Accounts(
            clients, parts.store, parts.secrets, parts.namespaces, account, may_use_own=parts.may_use_own
        )
        context = Context(self.accounts, parts.store, parts.clock, parts.cluster, parts.cluster_networks)
        # A look from less than one fast interval after a change could still show a tunnel up from before it.
        rollout = Rollout(parts.clock, grace=parts.intervals.fast, alive=parts.store.alive)
        keys = Keys(parts.secrets, parts.fingerprints, lambda *ref: bool(parts.store.secret_users(*ref)))
        rotation = Rotation(parts.store, parts.clock, parts.secrets, parts.fingerprints, parts.making)
        self.actuators: Mapping[str, Actuator] = {
            RouterActuator.kind: RouterActuator(context),
            GatewayActuator.kind: GatewayActuator(context, rollout),
            ConnectionActuator.kind: ConnectionActuator(context),
            TunnelActuator.kind: TunnelActuator(context, keys, rotation, rollout, parts.reporter),
        }

    async def poll(self) -> None:
        await self.accounts.poll()

    async def run(self) -> None:
        await self.accounts.run()

    def look_again(self) -> None:
        self.accounts.changed()

    def telemetry(self) -> Iterable[Sample]:
        return self.accounts.samples()


def client(environ: Mapping[str, str]) -> Clients:
    """From the variables of the official clients. Raises ConfigurationError."""
    try:
        return Clients.from_env(environ)
    except (CredentialsError, BaseUrlError, TrustError) as error:
        raise ConfigurationError(str(error)) from None


UPCLOUD = Provider(
    name="upcloud",
    kinds=(router.KIND, gateway.KIND, connection.KIND, tunnel.KIND),
    links={
        RouterActuator.kind: RouterActuator.links,
        GatewayActuator.kind: GatewayActuator.links,
        ConnectionActuator.kind: ConnectionActuator.links,
        TunnelActuator.kind: TunnelActuator.links,
    },
    client=client,
    backend=UpCloudBackend,
)
