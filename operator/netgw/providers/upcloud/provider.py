"""UpCloud as one value: its kinds, its client, and the actuators over one account."""

from __future__ import annotations

from collections.abc import Mapping

from netgw.engine.actuator import Actuator
from netgw.kube.provider import ConfigurationError, Parts, Provider
from netgw.providers.upcloud.account import ACCOUNT_REASONS, Account
from netgw.providers.upcloud.api import BaseUrlError, Credentials, CredentialsError, UpCloud, base_url_from_env
from netgw.providers.upcloud.base import Context
from netgw.providers.upcloud.connection import model as connection
from netgw.providers.upcloud.connection.actuator import ConnectionActuator
from netgw.providers.upcloud.gateway import model as gateway
from netgw.providers.upcloud.gateway.actuator import GatewayActuator
from netgw.providers.upcloud.tunnel import model as tunnel
from netgw.providers.upcloud.tunnel.actuator import TunnelActuator
from netgw.providers.upcloud.tunnel.key import Keys
from netgw.providers.upcloud.tunnel.rollout import Rollout
from netgw.providers.upcloud.tunnel.rotation import Rotation


class UpCloudBackend:
    """One account, observed and changed."""

    passing_reasons = ACCOUNT_REASONS

    def __init__(self, api: UpCloud, parts: Parts) -> None:
        self.account = Account(
            api, clock=parts.clock, rng=parts.rng, intervals=parts.intervals, listener=parts.listener
        )
        context = Context(self.account, parts.store, parts.clock, parts.cluster)
        # A look from less than one fast interval after a change could still show a tunnel up from before it.
        rollout = Rollout(parts.store, parts.clock, grace=parts.intervals.fast)
        keys = Keys(parts.secrets, parts.fingerprints)
        rotation = Rotation(parts.store, parts.clock, parts.secrets, parts.fingerprints, parts.making)
        self.actuators: Mapping[str, Actuator] = {
            GatewayActuator.kind: GatewayActuator(context),
            ConnectionActuator.kind: ConnectionActuator(context),
            TunnelActuator.kind: TunnelActuator(context, keys, rotation, rollout, parts.reporter),
        }

    async def poll(self) -> None:
        await self.account.poll()

    async def run(self) -> None:
        await self.account.run()


def client(environ: Mapping[str, str]) -> UpCloud:
    """From the variables of the official clients. Raises ConfigurationError."""
    try:
        return UpCloud(Credentials.from_env(environ), base_url=base_url_from_env(environ))
    except (CredentialsError, BaseUrlError) as error:
        raise ConfigurationError(str(error)) from None


UPCLOUD = Provider(
    name="upcloud",
    kinds=(gateway.KIND, connection.KIND, tunnel.KIND),
    links={
        GatewayActuator.kind: GatewayActuator.links,
        ConnectionActuator.kind: ConnectionActuator.links,
        TunnelActuator.kind: TunnelActuator.links,
    },
    client=client,
    backend=UpCloudBackend,
)
