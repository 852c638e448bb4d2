"""Passwords in addresses, lines that do not work, and crashes: what is shown then has nothing secret in it."""

from __future__ import annotations

import asyncio
import socketserver
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from netgw.kube.client import Cluster
from netgw.kube.errors import KubernetesError
from support.effort import effort
from support.operator import environment, made_up
from support.secrecy.needles import Needles
from support.served import served

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: made-up
contexts: [{name: made-up, context: {cluster: made-up, user: made-up}}]
clusters: [{name: made-up, cluster: {server: "SERVER"}}]
users: [{name: made-up, user: {token: TOKEN}}]
"""
ASK = """
import asyncio, logging, sys
from pydantic import SecretStr
from netgw import logs
from netgw.providers.upcloud.api import Credentials, UpCloud
logs.configure("text", "debug")
async def main():
    token = SecretStr(sys.stdin.read())
    async with UpCloud(Credentials(token=token), base_url=sys.argv[1]) as cloud:
        await cloud.get_account()
asyncio.run(main())
"""
CRASH = """
import sys
from netgw.cli import app
@app.command()
def crash():
    key = sys.stdin.read()
    held = {"psk": key}
    raise RuntimeError("on purpose")
app(["crash"])
"""


class Plain(socketserver.StreamRequestHandler):
    """Speaks no TLS and no HTTP."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")


@pytest.fixture
def plain() -> Iterator[str]:
    """Where a server answers with something else."""
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain)) as server:
        yield f"127.0.0.1:{server.server_address[1]}"


def played(script: str, *arguments: str, secret: str, **variables: str) -> str:
    """What a process that ends with an error says."""
    argv = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        argv, input=secret, env=environment(**variables), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("password", ["PASSWORD", "a/PASSWORD", "PASSWORD%zz"])
def test_a_server_url_with_a_password_ends_in_one_line(password: str, tmp_path: Path, plain: str) -> None:
    secret, token, path = made_up("password"), made_up("token"), tmp_path / "kubeconfig"
    server = f"https://someone:{password.replace('PASSWORD', secret)}@{plain}"
    path.write_text(KUBECONFIG.replace("SERVER", server).replace("TOKEN", token))

    async def ask() -> None:
        async with await Cluster.connect(str(path)) as cluster:
            await cluster.served_kinds("upcloud.netgw.dev", "v1alpha1")

    with pytest.raises(KubernetesError) as caught:
        asyncio.run(ask())
    assert len(str(caught.value).splitlines()) == 1
    shown = "".join(traceback.format_exception(caught.value))
    assert Needles([secret, token]).found(shown) == set()


def test_tls_that_fails_shows_nothing(plain: str) -> None:
    token = made_up("token")
    said = played(ASK, f"https://{plain}", secret=token)
    assert "GET /1.3/account: " in said
    assert Needles([token]).found(said) == set()


@pytest.mark.parametrize("target", effort(test=["https"], soak=["https", "http"]))
def test_a_proxy_with_credentials_is_not_shown(target: str, plain: str) -> None:
    """At DEBUG, where it does not work."""
    token, password = made_up("token"), made_up("password")
    proxy = f"http://someone:{password}@{plain}"
    said = played(ASK, f"{target}://upcloud.invalid", secret=token, HTTPS_PROXY=proxy, HTTP_PROXY=proxy, NO_PROXY="")
    assert "no proper HTTP answer" in said
    assert Needles([token, password]).found(said) == set()


def test_a_crash_prints_no_locals() -> None:
    key = made_up("psk")
    said = played(CRASH, secret=key, FORCE_COLOR="1", COLUMNS="200")
    assert "RuntimeError" in said
    assert "on purpose" in said
    assert Needles([key]).found(said) == set()
