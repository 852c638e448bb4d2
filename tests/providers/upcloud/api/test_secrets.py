"""No secret in an error, a traceback, a frame of ours, a repr or a dump: whatever the other side says."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from netgw.providers.upcloud.api import (
    AuthenticationModify,
    ConnectionModify,
    Credentials,
    CredentialsError,
    IpsecCreate,
    IpsecModify,
    LocalAddress,
    PskAuthentication,
    RemoteAddress,
    TunnelCreate,
    TunnelModify,
    UpCloud,
    UpCloudError,
)

PSK = "madeup_psk_for_tests_1"
PASSWORD = "madeup password for tests 1"
TOKEN = "madeup_token_for_tests_1"
BASIC = "c29tZW9uZTptYWRldXAgcGFzc3dvcmQgZm9yIHRlc3RzIDE="
SECRETS = (PSK, PASSWORD, TOKEN, BASIC)

WITH_TOKEN = Credentials(token=SecretStr(TOKEN))
WITH_PASSWORD = Credentials(username="someone", password=SecretStr(PASSWORD))

CREATE = TunnelCreate(
    name="t",
    local_address=LocalAddress(name="public"),
    remote_address=RemoteAddress(address="100.10.0.111"),
    ipsec=IpsecCreate(authentication=PskAuthentication(authentication="psk", psk=SecretStr(PSK))),
)
ROTATE = TunnelModify(
    name="t", ipsec=IpsecModify(authentication=AuthenticationModify(authentication="psk", psk=SecretStr(PSK)))
)


NESTED = ConnectionModify(tunnels=(CREATE,))

CALLS: dict[str, Callable[[UpCloud], Coroutine[Any, Any, object]]] = {
    "POST": lambda cloud: cloud.create_tunnel(gateway="g", connection="c", body=CREATE),
    "PATCH": lambda cloud: cloud.modify_tunnel(gateway="g", connection="c", tunnel="t", body=ROTATE),
    "PATCH nested": lambda cloud: cloud.modify_connection(gateway="g", connection="c", body=NESTED),
    "GET": lambda cloud: cloud.get_tunnel(gateway="g", connection="c", tunnel="t"),
}


def echo(status: int, shape: str) -> Callable[[httpx.Request], httpx.Response]:
    """A server or proxy that quotes the whole request, credential and key, in every place it has."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = f"{request.headers['authorization']} {request.content.decode()} {PASSWORD}"
        bodies: dict[str, Any] = {
            "problem": {
                "title": said,
                "type": f"x#ERROR_{said}",
                "correlation_id": said,
                "invalid_params": [{"name": said, "reason": f"'{said}' is too long"}],
            },
            "legacy": {"error": {"error_code": said, "error_message": said}},
            "text": said,
            "late": "x" * 250 + " " + PSK,
            "wrong": {"uuid": [said], "name": {said: said}, "ipsec": said},
        }
        body = bodies[shape]
        return httpx.Response(status, text=body if isinstance(body, str) else json.dumps(body))

    return answer


def raising(kind: type[httpx.RequestError]) -> Callable[[httpx.Request], httpx.Response]:
    """As httpx does it: the exception holds the request, here it also quotes it."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise kind(f"Illegal header value {request.headers['authorization']!r} {PSK} {PASSWORD}", request=request)

    return answer


ANSWERS = [
    *[echo(status, shape) for status in (200, 302, 400, 401, 409, 429, 500) for shape in ("problem", "legacy", "text")],
    *[echo(status, shape) for status in (200, 400, 500) for shape in ("late", "wrong")],
    *[raising(kind) for kind in (httpx.ConnectError, httpx.ReadTimeout, httpx.LocalProtocolError, httpx.DecodingError)],
]


def all_that_can_be_read(error: UpCloudError) -> str:
    """Also the locals of the client's frames, as a traceback with locals (of rich or typer) would show them."""
    chained: list[BaseException] = [error]
    while linked := (chained[-1].__cause__ or chained[-1].__context__):
        chained.append(linked)
    assert chained == [error]
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(
        [
            str(error),
            repr(error),
            repr(error.args),
            repr(vars(error)),
            *traceback.format_exception(error),
            *(repr(frame.locals) for frame in captured.stack if "/netgw/" in frame.filename),
        ]
    )


@pytest.mark.parametrize("credentials", [WITH_TOKEN, WITH_PASSWORD], ids=["token", "password"])
@pytest.mark.parametrize("answer_with", ANSWERS)
@pytest.mark.parametrize("method", CALLS)
def test_no_secret_in_an_error(credentials: Credentials, answer_with: Any, method: str, network: Any) -> None:
    net = network(answer_with)
    with pytest.raises(UpCloudError) as caught:
        net.run(CALLS[method], credentials=credentials)
    text = all_that_can_be_read(caught.value)
    sent = {TOKEN} if credentials is WITH_TOKEN else {PASSWORD, BASIC}
    if method != "GET":
        sent |= {PSK}
        assert PSK in net.requests[0].content.decode()
    assert {secret for secret in sent if secret in text} == set()
    assert net.requests[0].headers["authorization"] == credentials.authorization()


def test_no_secret_in_a_repr_or_a_dump() -> None:
    for thing in (CREATE, ROTATE, WITH_TOKEN, WITH_PASSWORD):
        assert not any(secret in f"{thing!r} {thing}" for secret in SECRETS)
    for body in (CREATE, ROTATE, NESTED):
        dumps = f"{body.model_dump()} {body.model_dump(mode='json')} {body.model_dump_json()}"
        assert PSK not in dumps
        assert "**********" in dumps


def test_no_secret_in_a_failed_validation() -> None:
    with pytest.raises(ValidationError) as caught:
        PskAuthentication.model_validate({"authentication": "psk", "psk": [PSK]})
    assert PSK not in str(caught.value)


@pytest.mark.parametrize(
    "values", [{"token": SecretStr(TOKEN + "\n")}, {"token": SecretStr(TOKEN), "password": SecretStr(PASSWORD)}]
)
def test_no_secret_in_refused_credentials(values: dict[str, Any]) -> None:
    with pytest.raises(CredentialsError) as caught:
        Credentials(**values)
    assert not any(secret in repr(caught.value) for secret in SECRETS)


def test_no_secret_on_the_client() -> None:
    async def main() -> str:
        async with UpCloud(WITH_PASSWORD) as cloud:
            return f"{vars(cloud)} {vars(cloud._transport)} {cloud._transport._http.headers}"  # noqa: SLF001

    assert not any(secret in asyncio.run(main()) for secret in SECRETS)


@pytest.mark.parametrize("proxy", ["http://someone:madeup/password@127.0.0.1:9", "ftp://someone:madeup@127.0.0.1:9"])
def test_a_proxy_that_is_no_url_is_not_quoted(proxy: str) -> None:
    """Its password would be in the traceback."""
    script = (
        "from netgw.providers.upcloud.api import Credentials, UpCloud\n"
        "from pydantic import SecretStr\n"
        "UpCloud(Credentials(token=SecretStr('madeup')), base_url='https://upcloud.invalid')"
    )
    environment = {**os.environ, "HTTPS_PROXY": proxy}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not the URL of a proxy" in done.stderr
    assert "someone" not in done.stderr
    assert "password@" not in done.stderr
