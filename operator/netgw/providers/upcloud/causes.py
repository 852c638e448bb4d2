"""Why is a tunnel down? Only a gateway's metrics say, and they are asked for only while a tunnel of ours is down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from netgw.engine.ports import Clock
from netgw.providers.upcloud.api import Gateway, Metrics, Tunnel, UpCloud, UpCloudError
from netgw.providers.upcloud.tunnel.state import DownMessage, is_up

log = logging.getLogger(__name__)

AGAIN = 300.0


class HasApi(Protocol):
    """Whoever has the client of the day."""

    @property
    def api(self) -> UpCloud: ...


class Causes:
    """The last message about each tunnel that is down, by uuid; asked for again every five minutes."""

    def __init__(self, client: HasApi, clock: Clock, managed: Callable[[str], bool]) -> None:
        self._client = client
        self._clock = clock
        self._managed = managed
        self._messages: dict[str, DownMessage] = {}
        self._asked: dict[str, float] = {}

    def message(self, tunnel: str) -> DownMessage | None:
        """What was heard of it last."""
        return self._messages.get(tunnel)

    async def ask(self, gateways: Iterable[Gateway]) -> frozenset[str]:
        """One call per gateway with a tunnel of ours that is newly down, or down for long. Returns what is news."""
        news: set[str] = set()
        for gateway in gateways:
            down = self._down(gateway)
            due = self._clock.now() - AGAIN
            if all(self._asked.get(uuid, due) > due for uuid in down.values()):
                continue
            self._asked |= dict.fromkeys(down.values(), self._clock.now())
            try:
                metrics = (await self._client.api.get_metrics(gateway=gateway.uuid)).value
            except UpCloudError as error:
                log.info("metrics: %s", error)
                continue
            news |= self._hear(down, metrics)
        return frozenset(news)

    def _down(self, gateway: Gateway) -> dict[str, str]:
        """Tunnels of ours that are down, by the name of their SA: `<connection>/<tunnel>` (API document)."""
        ours = [(c, t) for c in gateway.connections or () for t in c.tunnels if self._managed(t.uuid)]
        for _, tunnel in ours:
            if not self._is_down(gateway, tunnel):
                self._asked.pop(tunnel.uuid, None)
        return {f"{c.name}/{t.name}": t.uuid for c, t in ours if self._is_down(gateway, t)}

    @staticmethod
    def _is_down(gateway: Gateway, tunnel: Tunnel) -> bool:
        return gateway.configured_status != "stopped" and is_up(tunnel) is False

    def _hear(self, down: dict[str, str], metrics: Metrics) -> set[str]:
        news: set[str] = set()
        for sa in metrics.ipsec_metrics.ike_sas if metrics.ipsec_metrics else ():
            state, uuid = sa.heuristic_state, down.get(sa.name or "")
            if uuid is None or state is None or not state.last_down_message:
                continue
            message = DownMessage(state.last_down_message, state.last_down_message_updated_at)
            if self._messages.get(uuid) != message:
                self._messages[uuid] = message
                news.add(uuid)
        return news
