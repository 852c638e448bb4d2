"""HTTP to the API server through the official client's transport (`kubernetes.aio`): JSON in, JSON out, our errors.

The only module that sees errors of that client or of aiohttp. They are never chained: they carry request and response
bodies.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException

from netgw.kube.connection import Connection, describe, load
from netgw.kube.errors import KubernetesError, NamespaceTerminating, ObjectGone, WatchExpired, WriteConflict

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 60.0
"""Less than the 90 s after which the API server ends an idle connection (IdleTimeout of its http.Server)."""
# Bookmarks come about once a minute: a stream that is silent for longer is dead.
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=120)
_MESSAGE = 300


class _Call(NamedTuple):
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    content_type: str
    accept: str


class _Pool(RESTClientObject):
    """Connections that stay while there is something to do, and for a while after it.

    Closed after aiohttp's 15 s they would be made anew with every few changes: handshakes, and a heap in fragments.
    """

    def __init__(self, configuration: Configuration, idle: float) -> None:
        super().__init__(configuration)
        self._idle = idle

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, keepalive_timeout=self._idle)


class Transport:
    """One API server and one identity. A refused token (401) is loaded anew once, for tokens of a plugin expire."""

    def __init__(self, kubeconfig: str | None, client: ApiClient, seconds: float):
        self._kubeconfig = kubeconfig
        self._client = client
        self._limits = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)

    @classmethod
    async def open(cls, kubeconfig: str | None, *, seconds: float = _SECONDS, idle: float = _IDLE_SECONDS) -> Transport:
        """Load the credentials; no call is made yet.

        A call takes so many `seconds` at most, and a connection is kept for `idle` seconds without one.
        """
        client = ApiClient(await load(kubeconfig))
        client.user_agent = "netgw"
        client.rest_client = _Pool(client.configuration, idle)
        return cls(kubeconfig, client, seconds)

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]

    async def connection(self) -> Connection:
        """The credentials as they are now, read anew."""
        return await describe(await load(self._kubeconfig))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Any:
        """One call; the parsed answer, or an error of `kube.errors`."""
        call = _Call(method, path, query or {}, body, content_type, accept)
        what = f"{method} {path}"
        with _mapped(what):
            response = await self._send(call, self._limits)
            answer = _parsed(await response.read())
        if not 200 <= response.status < 300:
            raise _refusal(what, response.status, answer)
        if answer is None:
            raise KubernetesError(f"{what}: the answer is no JSON", response.status)
        return answer

    async def stream(self, path: str, *, query: Mapping[str, str], accept: str) -> AsyncIterator[Any]:
        """The events of one watch until the server ends it; raises `WatchExpired` when it must be listed again."""
        what = f"WATCH {path}"
        with _mapped(what):
            response = await self._send(_Call("GET", path, query, None, JSON, accept), _STREAM_TIMEOUT)
            async with response:
                if response.status != 200:
                    raise _watch_failure(what, response.status, _parsed(await response.read()))
                async for line in response.content:
                    event = _parsed(line)
                    if event is None:
                        raise KubernetesError(f"{what}: an event is no JSON")
                    if event.get("type") == "ERROR":
                        raise _watch_failure(what, int(event["object"].get("code") or 0), event["object"])
                    yield event

    async def _send(self, call: _Call, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        response = await self._send_once(call, limits)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.release()
            fresh, used = await load(self._kubeconfig), self._client.configuration
            used.api_key, used.refresh_api_key_hook = fresh.api_key, fresh.refresh_api_key_hook
            response = await self._send_once(call, limits)
        return response

    async def _send_once(self, call: _Call, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        request = await self._client.param_serialize(
            call.method,
            call.path,
            query_params=list(call.query.items()),
            header_params={"Accept": call.accept, "Content-Type": call.content_type},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        response: aiohttp.ClientResponse = (await self._client.call_api(*request, _request_timeout=limits)).response
        return response


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise KubernetesError(f"{what}: no answer in time") from None
    except aiohttp.ClientConnectorError as error:
        raise KubernetesError(f"{what}: no connection ({error.strerror or type(error).__name__})") from None
    except (aiohttp.ClientError, ConfigException, OSError, ValueError) as error:  # ValueError: a server with a password
        raise KubernetesError(f"{what}: {type(error).__name__}") from None


def _parsed(text: bytes) -> Any:
    """The JSON of an answer, None where there is none (a proxy's page, a body cut off)."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _refusal(what: str, status: int, answer: Any) -> KubernetesError:
    details = (answer or {}).get("details") or {}
    causes = details.get("causes") or []
    message = f"{what}: {status} {_reason(answer, causes)}".rstrip()
    if status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return NamespaceTerminating(message, status)
    # A JSON patch that does not apply (a failed test) is a 422 without causes; an invalid object names its fields.
    if status == 409 or (status == 422 and not causes):
        return WriteConflict(message, status)
    # Only the API server's own word: a page of something on the way, or a kind that is not served now, proves nothing.
    if status == 404 and (answer or {}).get("reason") == "NotFound" and details.get("name"):
        return ObjectGone(message, status)
    return KubernetesError(message, status)


def _watch_failure(what: str, status: int, answer: Any) -> KubernetesError:
    if status == 410:
        return WatchExpired(f"{what}: {status} Expired", status)
    return _refusal(what, status, answer)


def _reason(answer: Any, causes: list[dict[str, Any]]) -> str:
    """The server's words, unless it may quote the object: of an invalid one only the fields are named."""
    if not answer:
        return ""
    fields = ", ".join(f"{cause.get('field')}: {cause.get('reason')}" for cause in causes if cause.get("field"))
    if answer.get("code") in (400, 422):
        return f"{answer.get('reason') or ''} {fields}".strip()
    return str(answer.get("message") or answer.get("reason") or "")[:_MESSAGE]
