"""The environment, and the one line that ends the start when something in it is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from pydantic import ValidationError

from netgw.settings import CLUSTER_NETWORKS, Address, Settings, SettingsError, flag, own_namespace, variable
from support.operator import environment

NETWORKS = "IPv4 networks without host bits, with commas between, for example 10.96.0.0/12; or none"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("NETGW_") or name == "KUBECONFIG"]:
        monkeypatch.delenv(name)


def loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def test_defaults() -> None:
    assert Settings.load().model_dump() == {
        "kubeconfig": None,
        "cluster_name": None,
        "namespace": own_namespace(),
        "namespaces": (),
        "poll_interval": 60,
        "fast_poll_interval": 10,
        "secret_interval": 300,
        "secret_watch": False,
        "metrics_interval": 60,
        "metrics_share": 0.25,
        "workers": 8,
        "read_only": False,
        "default_credentials_namespaces": ("*",),
        "credentials_finalizer": False,
        "default_policies": {},
        "fingerprint_key_file": None,
        "listen": ("127.0.0.1", 8080),
        "log_format": "text",
        "log_level": "info",
        "leader_election": False,
        "cluster_networks": CLUSTER_NETWORKS,
    }


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("KUBECONFIG", "/a/config:/b/config", "kubeconfig", "/a/config:/b/config"),
        ("NETGW_CLUSTER_NAME", "n" * 60, "cluster_name", "n" * 60),
        ("NETGW_NAMESPACE", "netgw-system", "namespace", "netgw-system"),
        ("NETGW_POLL_INTERVAL", "0.5", "poll_interval", 0.5),
        ("NETGW_SECRET_WATCH", "true", "secret_watch", True),
        ("NETGW_METRICS_INTERVAL", "0", "metrics_interval", 0),
        ("NETGW_METRICS_SHARE", "1", "metrics_share", 1),
        ("NETGW_WORKERS", "1", "workers", 1),
        ("NETGW_WORKERS", "", "workers", 8),
        ("NETGW_READ_ONLY", "1", "read_only", True),
        ("NETGW_CREDENTIALS_FINALIZER", "true", "credentials_finalizer", True),
        ("NETGW_DEFAULT_CREDENTIALS_NAMESPACES", "a, b", "default_credentials_namespaces", ("a", "b")),
        ("NETGW_DEFAULT_CREDENTIALS_NAMESPACES", "*", "default_credentials_namespaces", ("*",)),
        ("NETGW_FINGERPRINT_KEY_FILE", "/etc/netgw/key", "fingerprint_key_file", Path("/etc/netgw/key")),
        ("NETGW_LISTEN", "[::1]:0", "listen", Address("::1", 0)),
        ("NETGW_LOG_FORMAT", "JSON", "log_format", "json"),
        ("NETGW_LOG_LEVEL", "Debug", "log_level", "debug"),
        ("NETGW_LEADER_ELECTION", "false", "leader_election", False),
        ("NETGW_CLUSTER_NETWORKS", "10.0.0.0/16", "cluster_networks", (IPv4Network("10.0.0.0/16"),)),
        (
            "NETGW_CLUSTER_NETWORKS",
            "10.0.0.0/16, 10.1.0.0/16,",
            "cluster_networks",
            (IPv4Network("10.0.0.0/16"), IPv4Network("10.1.0.0/16")),
        ),
        ("NETGW_CLUSTER_NETWORKS", " None ", "cluster_networks", ()),
        ("NETGW_CLUSTER_NETWORKS", "", "cluster_networks", CLUSTER_NETWORKS),
        ("NETGW_SOMETHING_ELSE", "1", "workers", 8),
    ],
)
def test_value(monkeypatch: pytest.MonkeyPatch, name: str, text: str, field: str, value: object) -> None:
    assert getattr(loaded(monkeypatch, **{name: text}), field) == value


def test_namespaces_need_a_cluster_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="NETGW_CLUSTER_NAME is not set; expected together with NETGW_NAMESPACES"):
        loaded(monkeypatch, NETGW_NAMESPACES="tenant-a, tenant-b,")
    assert loaded(monkeypatch, NETGW_CLUSTER_NAME="prod").namespaces == ("tenant-a", "tenant-b")


def test_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/environment")
    assert Settings.load(kubeconfig="/option").kubeconfig == "/option"


WRONG = [
    ("NETGW_CLUSTER_NAME", "n" * 61, "1 to 60 characters of A-Z a-z 0-9 . _ and -"),
    ("NETGW_CLUSTER_NAME", "a/b", "1 to 60 characters of A-Z a-z 0-9 . _ and -"),
    ("NETGW_NAMESPACE", "Default", "the name of a namespace, the operator's own"),
    ("NETGW_POLL_INTERVAL", "soon", "seconds, a number above 0"),
    ("NETGW_POLL_INTERVAL", "0", "seconds, a number above 0"),
    ("NETGW_FAST_POLL_INTERVAL", "-1", "seconds, a number above 0"),
    ("NETGW_SECRET_INTERVAL", "inf", "seconds, a number above 0"),
    ("NETGW_SECRET_INTERVAL", "5m", "seconds, a number above 0"),
    ("NETGW_SECRET_WATCH", "maybe", "true or false"),
    ("NETGW_METRICS_INTERVAL", "-1", "seconds, a number above 0, or 0 for never"),
    ("NETGW_METRICS_SHARE", "0", "a number above 0, at most 1"),
    ("NETGW_METRICS_SHARE", "25", "a number above 0, at most 1"),
    ("NETGW_CREDENTIALS_FINALIZER", "maybe", "true or false"),
    ("NETGW_WORKERS", "0", "a whole number from 1 to 256"),
    ("NETGW_WORKERS", "2.5", "a whole number from 1 to 256"),
    ("NETGW_LISTEN", "8080", "host:port, for example 127.0.0.1:8080"),
    ("NETGW_LISTEN", ":8080", "host:port, for example 127.0.0.1:8080"),
    ("NETGW_LISTEN", "localhost:70000", "host:port, for example 127.0.0.1:8080"),
    ("NETGW_LOG_FORMAT", "xml", "text or json"),
    ("NETGW_LEADER_ELECTION", "maybe", "true or false"),
    ("NETGW_READ_ONLY", "maybe", "true or false"),
    ("NETGW_LOG_LEVEL", "loud", "debug, info, warning or error"),
    ("NETGW_CLUSTER_NETWORKS", "10.0.0.0", NETWORKS),
    ("NETGW_CLUSTER_NETWORKS", "10.0.0.1/16", NETWORKS),
    ("NETGW_CLUSTER_NETWORKS", "10.0.0.0/33", NETWORKS),
    ("NETGW_CLUSTER_NETWORKS", "fd00::/8", NETWORKS),
    ("NETGW_NAMESPACES", "B", "names of namespaces with commas between; unset: all"),
    ("NETGW_DEFAULT_CREDENTIALS_NAMESPACES", "a b", "names of namespaces with commas between, or * for all"),
    ("NETGW_DEFAULT_POLICIES", "Retain", 'policies as JSON, for example {"deletionPolicy": "Retain"}'),
]
"""A variable, a value that is none, and what is expected."""

FILES = {"KUBECONFIG", "NETGW_FINGERPRINT_KEY_FILE"}
"""Whether a path is wrong is known when it is read."""


def test_every_setting_has_a_wrong_value() -> None:
    assert {name for name, _, _ in WRONG} | FILES == {variable(field) for field in Settings.model_fields}


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_wrong_option_is_one_line(name: str, text: str, expected: str) -> None:
    """It names the option, not the variable that nobody set."""
    field = name.removeprefix("NETGW_").lower()
    with pytest.raises(SettingsError) as error:
        Settings.load(**{field: text})
    assert str(error.value) == f"{flag(field)} is {text!r}; expected {expected}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--workers", "0"], "--workers is '0'; expected a whole number from 1 to 256"),
        (["--kubeconfig", "/nonexistent"], "/nonexistent"),
        (["--leader-election=maybe"], "--leader-election is 'maybe'; expected true or false"),
    ],
)
def test_a_wrong_option_stops_the_start(words: list[str], told: str) -> None:
    """With one line and status 1."""
    command = [sys.executable, "-m", "netgw.cli", "run", "--listen", "127.0.0.1:0", *words]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("netgw: ")


def test_help_names_every_option_and_variable_and_no_secret_has_an_option() -> None:
    command = [sys.executable, "-m", "netgw.cli", "run", "--help"]
    wide = environment(COLUMNS="1000", TERM="dumb", NO_COLOR="1")
    shown = subprocess.run(command, env=wide, capture_output=True, text=True, check=True, timeout=60).stdout
    options = set(re.findall(r"^[^\w-]*(--[a-z-]+)", shown, re.MULTILINE))
    assert options == {"--help", *(flag(field) for field in Settings.model_fields)}
    assert [variable(field) for field in Settings.model_fields if f"[{variable(field)}; default: " not in shown] == []
    assert [option for option in options if re.search("token|password|psk", option)] == []


def test_an_option_goes_before_its_variable_and_an_empty_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGW_WORKERS", "3")
    assert Settings.load(workers="2").workers == 2
    assert Settings.load(workers="").workers == 3
    assert Settings.load(workers=None).workers == 3


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_wrong_value_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as error:
        loaded(monkeypatch, **{name: text})
    assert str(error.value) == f"{name} is {text!r}; expected {expected}"


def test_settings_do_not_change() -> None:
    settings = Settings.load()
    with pytest.raises(ValidationError):
        settings.workers = 1  # type: ignore[misc]


def test_own_namespace_is_that_of_the_pod(tmp_path: Path) -> None:
    file = tmp_path / "namespace"
    assert own_namespace(file) == "default"
    file.write_text("netgw-system\n")
    assert own_namespace(file) == "netgw-system"


def test_address_is_written_as_it_is_given() -> None:
    assert str(Address("127.0.0.1", 8080)) == "127.0.0.1:8080"
    assert str(Address("::1", 8080)) == "[::1]:8080"
