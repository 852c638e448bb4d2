"""Bad days in virtual time: what a test does to a cluster and its cloud, and how it asks what users would see of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import SecretBytes, SecretStr

from netgw.engine.conditions import ORDER
from netgw.engine.objects import Object
from netgw.kube.client import Secret
from netgw.providers.upcloud.api import Credentials
from netgw.providers.upcloud.simulator import World, transport
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, ROUTER, History, tunnel
from support.virtual_time import VirtualLoop, run

TOKENS = {"madeup-token": "alice", "madeup-token-of-bob": "bob"}
SPARE = "madeup-token-that-is-new"
"""Nobody's until a test says whose."""
SECRETS = (KEY, OTHER_KEY, *TOKENS, SPARE)
HOUR = 3600.0
KINDS = {
    "edge": "NetworkGateway",
    "office": "VpnConnection",
    "office-1": "VpnTunnel",
    "office-2": "VpnTunnel",
}
LEGACY = {"legacy": "NetworkGateway", "legacy-conn": "VpnConnection", "legacy-1": "VpnTunnel"}
KIND_OF = KINDS | LEGACY | {"lab": "VpnConnection", "hub": "Router"}

T = TypeVar("T")


class Day(History):
    """One gateway `edge`, its connection `office`, its tunnels `office-1` and `office-2`, and what befalls them."""

    def __init__(self, loop: VirtualLoop, *, tokens: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(loop, **options)
        if tokens is not None:
            self.world = World(delay=2.0, clock=self.clock.wall, routers=[ROUTER], seed=0, tokens=tokens)

    # ---- what a user does

    async def made(self, tunnels: int = 2) -> None:
        """Everything is up, and the calls so far are forgotten."""
        await self.start()
        self.apply_all(tunnels)
        await self.settle()
        self.world.calls.clear()

    def gateway(self, **over: Any) -> None:
        self.kubernetes.apply("NetworkGateway", "edge", _over(GATEWAY, over))

    def connection(self, **over: Any) -> None:
        self.kubernetes.apply("VpnConnection", "office", _over(CONNECTION, over))

    def tunnel(self, number: int = 1, **over: Any) -> None:
        peer = over.pop("peer", f"100.10.0.{110 + number}")
        self.kubernetes.apply("VpnTunnel", f"office-{number}", tunnel(peer, **over))

    def secret(self, key: str | bytes | None = KEY, *, under: str = "psk", name: str = "office-psk") -> None:
        """A Secret with one key in its data; None takes the Secret away."""
        value = key.encode() if isinstance(key, str) else key
        self.kubernetes.put_secret(name, value)
        if value is not None:
            meta = self.kubernetes.secrets["default", name].meta
            self.kubernetes.secrets["default", name] = Secret(meta, {under: SecretBytes(value)})

    def annotate(self, name: str, annotation: str, value: str | None = "2026-11-22T03:00:00Z") -> None:
        self.kubernetes.annotate(KIND_OF[name], name, annotation, value)

    def delete(self, *names: str) -> None:
        for name in names:
            self.kubernetes.delete(KIND_OF[name], name)

    async def restart(self, token: str | None = None) -> None:
        """The process dies and another one starts, with other credentials where they are given."""
        await self.kill()
        if token is not None:
            self._credentials = Credentials(token=SecretStr(token))
        await self.start()

    # ---- what happens in the cloud

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Somebody uses the API by hand; not counted as a call of the operator's."""
        before = len(self.world.calls)
        headers = {"Authorization": f"Bearer {next(iter(TOKENS))}"}
        async with httpx.AsyncClient(transport=transport(self.world), base_url="http://simulator") as client:
            answer = await client.request(method, "/1.3" + path, json=body, headers=headers)
        del self.world.calls[before:]
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def uuid(self, name: str) -> str:
        return str(self.get(KIND_OF[name], name).uuid)

    # ---- what the user sees

    def object(self, name: str) -> Object:
        return next(obj for obj in self.objects() if obj.ref == (KIND_OF[name], "default", name))

    def condition(self, name: str, kind: str = "Synced") -> dict[str, Any]:
        """The condition; empty where there is none."""
        return dict(self.object(name).condition(kind) or {})

    def verdict(self, name: str, kind: str = "Synced") -> tuple[str, str]:
        """Status and reason of a condition."""
        found = self.condition(name, kind)
        return str(found.get("status")), str(found.get("reason"))

    def says(self, name: str, *words: str, kind: str = "Synced") -> None:
        """The message has all these words."""
        message = str(self.condition(name, kind).get("message"))
        for word in words:
            assert word in message, f"{word!r} not in {message!r}"

    async def until(self, what: Callable[[], bool], seconds: float = 600.0) -> None:
        """As the base's, but what takes long is asked for less often."""
        begun = self.clock.now()
        while not what():
            waited = self.clock.now() - begun
            assert waited < seconds, "not in time:\n" + self.picture()
            await asyncio.sleep(max(0.25, waited / 50))

    async def becomes(self, name: str, reason: str, kind: str = "Synced", seconds: float = 300.0) -> None:
        await self.until(lambda: self.verdict(name, kind)[1] == reason, seconds)

    def told(self, reason: str) -> list[str]:
        """The messages of the Events of this reason."""
        return [message for _, _, why, message in self.kubernetes.events if why == reason]

    async def passes(self, seconds: float) -> tuple[int, int, int]:
        """Let time pass: how many calls, status writes and passes were made meanwhile."""
        assert self.app is not None
        calls, writes, passes = len(self.world.calls), len(self.kubernetes.writes), self.app.queue.worked
        await asyncio.sleep(seconds)
        worked = self.app.queue.worked - passes
        return len(self.world.calls) - calls, len(self.kubernetes.writes) - writes, worked

    async def calm(self, *, calls: int, writes: int = 0, passes: int = 400, seconds: float = HOUR) -> None:
        """No hot loop: an hour has at most so many calls, status writes and passes."""
        had = await self.passes(seconds)
        assert had[0] <= calls, f"{had} > {calls} calls\n" + self.picture()
        assert had[1] <= writes, f"{had} > {writes} writes\n" + self.picture()
        assert had[2] <= passes, f"{had} > {passes} passes\n" + self.picture()


D = TypeVar("D", bound="Day")


def day(story: Callable[[Day], Coroutine[Any, Any, None]], **options: Any) -> Day:
    """Play one story, then look whether every status is in order and no secret got out."""
    return played_by(Day, story, **options)


def played_by(cast: type[D], story: Callable[[D], Coroutine[Any, Any, None]], **options: Any) -> D:
    """As `day`, with more to do in it."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    played = cast(loop, **options)

    async def whole() -> None:
        try:
            await story(played)
        finally:
            await played.kill()

    with _logged() as lines:
        try:
            run(whole(), loop)
        finally:
            asyncio.set_event_loop(None)
    for obj in played.objects():
        in_order(obj)
    no_secret_in(played, lines)
    assert [line for line in lines if line.startswith("pass failed")] == []
    return played


def in_order(obj: Object) -> None:
    """What holds for the conditions of every object at any time."""
    conditions = obj.status.get("conditions") or []
    types = [condition["type"] for condition in conditions]
    assert len(set(types)) == len(types), types
    assert set(types) <= set(ORDER), types
    if conditions:
        assert {"Ready", "Synced"} <= set(types)
        assert not {"Reconciling", "Stalled"} <= set(types)
    for condition in conditions:
        assert condition["status"] in ("True", "False", "Unknown")
        assert condition["reason"].isalnum()
        assert condition["reason"][0].isupper()
        assert condition["message"], condition
        assert condition["message"][-1] in ".…?" or condition["message"][-1].isalnum(), condition
        assert "orrelation" not in condition["message"], condition


def no_secret_in(played: Day, lines: list[str]) -> None:
    """Neither keys nor credentials are in objects, Events or the log."""
    bodies = json.dumps([dict(obj.body) for obj in played.objects()])
    events = json.dumps(played.kubernetes.events)
    for secret in SECRETS:
        assert secret not in bodies
        assert secret not in events
        assert not any(secret in line for line in lines)


@contextmanager
def _logged() -> Iterator[list[str]]:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, logger = Keep(logging.DEBUG), logging.getLogger("netgw")
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """None takes a field away."""
    return {field: value for field, value in {**base, **over}.items() if value is not None}
