"""The control door under /_sim: what was asked, faults to come, tunnels up and down, a look behind the scenes.

No credential is needed, and no call to it is counted. A wrong body is a 400 that says why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import openapi, render
from .door_requests import FloatingIp, Forced, ForcedGateway, ForcedTunnel, Network, Plan
from .faults import Fault
from .world import World

F = TypeVar("F", bound=Forced)
T = TypeVar("T")

_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])
_PLANS: TypeAdapter[list[Plan]] = TypeAdapter(list[Plan])


def door(world: World) -> ASGIApp:
    """For a mount at /_sim."""
    inner = Router(routes=routes(world))

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "GET":
                world.on_change()
            await send(message)

        await inner(scope, receive, keep)

    return outer


def routes(world: World) -> list[Route]:
    """Of the door, without its prefix."""
    door = _Door(world)
    table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/calls", door.calls),
        ("DELETE", "/calls", door.forget_calls),
        ("POST", "/tunnels/{uuid}", door.force_tunnel),
        ("POST", "/gateways/{uuid}", door.force_gateway),
        ("POST", "/routers/{uuid}/networks", door.attach_network),
        ("DELETE", "/routers/{uuid}/networks/{network}", door.detach_network),
        ("POST", "/floating-ips", door.add_floating_ip),
        ("PUT", "/plans", door.set_plans),
        ("POST", "/faults", door.add_faults),
        ("DELETE", "/faults", door.clear_faults),
        ("POST", "/reset", door.reset),
        ("GET", "/world", door.world),
        ("GET", "/openapi.json", door.openapi),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]


async def refuse(_: Request, error: Exception) -> Response:
    """What the door does not know or take, in JSON."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"status": status, "title": str(getattr(error, "detail", error))}, status)


def dump(world: World) -> dict[str, Any]:
    """Everything the world holds, as the API shows it, with its account; of a key only the SHA-256."""
    now = world.stamp()
    found = []
    for gateway in world.gateways.values():
        body = render.gateway(world, gateway, now) | {"account": gateway.account, "deleting": gateway.deleting}
        body["connections"] = [render.connection(world, gateway, item, now) for item in gateway.connections]
        keys = {tunnel.uuid: tunnel.psk_sha256 for tunnel in gateway.tunnels}
        for connection in body["connections"]:
            for tunnel in connection["tunnels"]:
                tunnel["psk_sha256"] = keys[tunnel["uuid"]]
        found.append(body)
    attached = world.attached()
    routers = [
        render.router(world, item, attached.get(item.uuid), now) | {"account": item.account}
        for item in world.routers.values()
    ]
    floating = [{"account": account, "address": address} for address, account in world.floating_ips.items()]
    faults = [fault.model_dump(exclude_defaults=True) for fault in world.faults.waiting()]
    dials = {"delay": world.delay, "plans": list(world.plans.values()), "tunnels": world.tunnels}
    held = {"floating_ips": floating, "gateways": found, "routers": routers}
    return {**dials, **held, "faults": faults, "now": render.timestamp(now)}


class _Door:
    def __init__(self, world: World) -> None:
        self._world = world

    async def calls(self, _: Request) -> Response:
        return JSONResponse(
            [
                {"method": call.method, "path": call.path, "status": call.status, "time": render.timestamp(call.at)}
                for call in self._world.calls
            ]
        )

    async def forget_calls(self, _: Request) -> Response:
        self._world.calls.clear()
        return Response(status_code=204)

    async def force_tunnel(self, request: Request) -> Response:
        forced = await _parse(request, ForcedTunnel)
        return _found(self._world.force_tunnel(request.path_params["uuid"], **forced.model_dump()), "tunnel")

    async def force_gateway(self, request: Request) -> Response:
        forced = await _parse(request, ForcedGateway)
        return _found(self._world.force_gateway(request.path_params["uuid"], **forced.model_dump()), "gateway")

    async def attach_network(self, request: Request) -> Response:
        wanted = await _parse(request, Network)
        uuid = self._world.attach_network(request.path_params["uuid"], wanted.uuid)
        _found(uuid is not None, "router")
        return JSONResponse({"uuid": uuid}, 201)

    async def detach_network(self, request: Request) -> Response:
        path = request.path_params
        return _found(self._world.detach_network(path["uuid"], path["network"]), "network on a router")

    async def add_floating_ip(self, request: Request) -> Response:
        self._world.add_floating_ip((await _parse(request, FloatingIp)).address)
        return Response(status_code=204)

    async def set_plans(self, request: Request) -> Response:
        self._world.plans = {plan.name: plan.model_dump() for plan in await _parse_list(request, _PLANS)}
        return Response(status_code=204)

    async def add_faults(self, request: Request) -> Response:
        for fault in await _parse_list(request, _FAULTS):
            self._world.faults.put(fault)
        return Response(status_code=204)

    async def clear_faults(self, _: Request) -> Response:
        self._world.faults.clear()
        return Response(status_code=204)

    async def reset(self, _: Request) -> Response:
        self._world.reset()
        return Response(status_code=204)

    async def world(self, _: Request) -> Response:
        return JSONResponse(dump(self._world))

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(openapi.document())


async def _parse(request: Request, schema: type[F]) -> F:
    """An empty body and null mean `{}`."""
    try:
        value = from_json(await request.body() or b"null", allow_inf_nan=False)
    except ValueError:
        raise HTTPException(400, "The body is no JSON.") from None
    try:
        return schema.model_validate(value or {})
    except ValidationError as error:
        raise HTTPException(400, _reasons(error)) from None


async def _parse_list(request: Request, schema: TypeAdapter[list[T]]) -> list[T]:
    try:
        from_json(await request.body(), allow_inf_nan=False)
        return schema.validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(400, _reasons(error)) from None
    except ValueError:
        raise HTTPException(400, "The body is no JSON.") from None


def _found(found: bool, what: str) -> Response:
    if not found:
        raise HTTPException(404, f"There is no {what} of this UUID.")
    return Response(status_code=204)


def _reasons(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
