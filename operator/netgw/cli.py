"""The commands. This file wires all parts and is the only one that knows every part."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import AddressValueError
from pathlib import Path
from typing import Annotated, Literal

import kopf
import typer

from netgw import __version__, handlers, logs, settings_page
from netgw import release as releasing
from netgw.app import App
from netgw.kinds import KINDS, PROVIDERS
from netgw.kube import crd, reference
from netgw.kube.client import Cluster
from netgw.kube.connection import Connection
from netgw.kube.errors import KubernetesError
from netgw.kube.fingerprint import FingerprintKeyError
from netgw.kube.provider import Client, ConfigurationError, Provider
from netgw.memory import keep_large_blocks_apart, keep_tls_buffers_small
from netgw.probes import ProbesError
from netgw.process import Connect, Fatal, Process
from netgw.providers.upcloud.plans import Form, PlansError, plans_text
from netgw.providers.upcloud.simulator.server import serve
from netgw.providers.upcloud.simulator.state import StateError
from netgw.settings import Settings, SettingsError

app = typer.Typer(
    name="netgw",
    help="A Kubernetes operator for cloud network gateways: NAT and IPsec site-to-site VPN as custom resources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, and a key may be among them
)
simulate = typer.Typer(
    name="simulate", help="A cloud in memory, for trying manifests and for CI.", no_args_is_help=True
)
app.add_typer(simulate)


@app.command()
@settings_page.with_options
def run(**options: str | None) -> None:
    """Run the operator. Each option goes before the environment variable that it names.

    Credentials come from the environment alone, UPCLOUD_TOKEN or UPCLOUD_USERNAME and UPCLOUD_PASSWORD: who can list
    processes can read options. UPCLOUD_DEBUG_API_BASE_URL is another address of the API. See docs/settings.md.
    """
    try:
        settings = Settings.load(**options)
        logs.configure(settings.log_format, settings.log_level)
        keep_large_blocks_apart()
        keep_tls_buffers_small()
        clouds = {provider: provider.client(os.environ) for provider in PROVIDERS}
        asyncio.run(operate(settings, clouds))
    except (
        SettingsError,
        ConfigurationError,
        KubernetesError,
        FingerprintKeyError,
        ProbesError,
        Fatal,
    ) as error:
        sys.exit(f"netgw: {error}")


async def operate(settings: Settings, clouds: Mapping[Provider, Client], connect: Connect = Cluster.connect) -> None:
    """The operator, until a signal ends it."""

    async def watch(operator: App, connect: Callable[[], Awaitable[Connection]], started: Callable[[], None]) -> None:
        registry: kopf.OperatorRegistry = handlers.registry(KINDS, operator.observe, connect)
        await handlers.watch(registry, settings.namespaces, started)

    await Process(settings, clouds, watch, connect).run()


@app.command()
def release(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAMESPACE/NAME]...", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every object that the operator watches.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when a finalizer is on one.")] = False,
    kubeconfig: Annotated[str | None, typer.Option(help="Default: KUBECONFIG, else the cluster this runs in.")] = None,
) -> None:
    """Take finalizers and marks off, so that objects can be deleted without netgw and the cloud is kept.

    Stop the operator first. Settings and credentials come from the environment, as those of `netgw run`.
    """
    chosen = tuple(names or ())
    if (chosen and every) or not (chosen or every or check):
        sys.exit("netgw: expected either objects as NAMESPACE/NAME, or --all")
    try:
        settings = Settings.load(kubeconfig=kubeconfig)
        logs.configure(settings.log_format, "warning")
        _check(settings, chosen) if check else _release(settings, chosen)
    except (SettingsError, ConfigurationError, KubernetesError, releasing.ReleaseError, Fatal) as error:
        sys.exit(f"netgw: {error}")


def _check(settings: Settings, names: tuple[str, ...]) -> None:
    held = asyncio.run(releasing.guarded(settings, names))
    if not held:
        print("No object has a finalizer of netgw.")
        return
    for ref in held:
        print(ref)
    sys.exit(
        f"netgw: {len(held)} with a finalizer of netgw: without an operator their deletion would never end. Delete "
        f"them while it runs (deletes in the cloud), or stop it and run netgw release --all (keeps the cloud)."
    )


def _release(settings: Settings, names: tuple[str, ...]) -> None:
    clouds = {provider: provider.client(os.environ) for provider in PROVIDERS}

    async def work() -> list[str]:
        try:
            return await releasing.release(settings, clouds, names, print)
        finally:
            for client in clouds.values():
                await client.aclose()

    if left := asyncio.run(work()):
        sys.exit("\n".join(f"netgw: {line}" for line in left))
    print("Released: the objects can be deleted, and the cloud keeps what they stand for.")


@simulate.command()
def upcloud(
    listen: Annotated[str, typer.Option(help="host:port; port 0 is any free one.")] = "127.0.0.1:0",
    delay: Annotated[float, typer.Option(min=0, help="Seconds that one state transition takes.")] = 0.5,
    token: Annotated[str | None, typer.Option(help="The only token accepted. Default: any credential.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="TOKEN=NAME: a token of the account NAME; repeatable, instead of --token.")
    ] = None,
    router: Annotated[list[str] | None, typer.Option(help="UUID of a router to begin with; repeatable.")] = None,
    floating_ip: Annotated[list[str] | None, typer.Option(help="Floating IP to begin with; repeatable.")] = None,
    tunnels: Annotated[str, typer.Option(help="up: new tunnels come up by themselves; idle: they do not.")] = "up",
    state: Annotated[Path | None, typer.Option(help="A file that keeps the world over a restart.")] = None,
) -> None:
    """Simulate UpCloud's network gateway API until interrupted. The first line says where it listens."""
    if tunnels not in ("up", "idle"):
        sys.exit(f"netgw: --tunnels is {tunnels!r}; expected up or idle")
    dial: Literal["up", "idle"] = "up" if tunnels == "up" else "idle"
    try:
        serve(
            listen=listen,
            delay=delay,
            tokens=_tokens(token, account or []),
            routers=tuple(router or ()),
            tunnels=dial,
            floating_ips=tuple(floating_ip or ()),
            state=state,
        )
    except StateError as error:
        sys.exit(f"netgw: --state: {error}")
    except AddressValueError as error:
        sys.exit(f"netgw: --floating-ip: {error}; expected an IPv4 address")


def _tokens(token: str | None, accounts: list[str]) -> dict[str, str] | None:
    """Which account each token opens. A wrong value is not quoted, for it may be a token."""
    if token is not None and accounts:
        sys.exit("netgw: --token and --account are both given; expected one of the two")
    pairs = {given: name for given, _, name in (account.rpartition("=") for account in accounts)}
    if any(not given or not name for given, name in pairs.items()):
        sys.exit("netgw: --account is not TOKEN=NAME")
    return {token: "simulator"} if token is not None else pairs or None


@app.command()
def plans(
    output: Annotated[Form, typer.Option("--output", "-o", help="table or json, in the words of the API.")] = "table",
) -> None:
    """Print UpCloud's plans for gateways, with the credentials of the environment: UPCLOUD_TOKEN and the like."""
    try:
        print(asyncio.run(plans_text(os.environ, output)))
    except (ConfigurationError, PlansError) as error:
        sys.exit(f"netgw: {error}")


@app.command()
def crds(
    write: Annotated[Path | None, typer.Option(help="Write the CRDs into this folder.")] = None,
    check: Annotated[Path | None, typer.Option(help="Fail when the CRDs in this folder are stale.")] = None,
) -> None:
    """Print the CustomResourceDefinitions, write them, or check those that were written."""
    if write is not None:
        crd.write(KINDS, write)
    elif check is not None:
        if stale := crd.stale(KINDS, check):
            sys.exit(f"netgw: stale, run make generate: {', '.join(stale)}")
    else:
        print("---\n".join(crd.to_yaml(kind) for kind in KINDS), end="")


@app.command()
def fields(
    write: Annotated[Path | None, typer.Option(help="Write the field tables into the pages of this folder.")] = None,
    check: Annotated[Path | None, typer.Option(help="Fail when the tables in this folder are stale.")] = None,
) -> None:
    """Print the reference of all fields, write it into the documentation, or check what was written."""
    try:
        if write is not None:
            reference.refresh(KINDS, write)
        elif check is None:
            print("\n".join(reference.render(kind) for kind in KINDS), end="")
        elif stale := reference.stale(KINDS, check):
            sys.exit(f"netgw: stale, run make generate: {', '.join(stale)}")
    except reference.PageError as error:
        sys.exit(f"netgw: {error}")


@app.command()
def settings(
    write: Annotated[Path | None, typer.Option(help="Write the tables into this page.")] = None,
    check: Annotated[Path | None, typer.Option(help="Fail when the tables of this page are stale.")] = None,
) -> None:
    """Print the tables of all settings, write them into the documentation, or check what was written."""
    try:
        if write is not None:
            settings_page.refresh(write)
        elif check is None:
            print(settings_page.render(), end="")
        elif settings_page.is_stale(check):
            sys.exit(f"netgw: stale, run make generate: {check.name}")
    except settings_page.PageError as error:
        sys.exit(f"netgw: {error}")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Entry point of the `netgw` command."""
    app()


if __name__ == "__main__":
    main()
