"""The environment as one frozen value. Credentials of a cloud are not here: its client reads them.

Every setting is the environment variable `NETGW_<FIELD>`, except `KUBECONFIG`; an empty variable counts as unset.
Seconds are numbers. The first wrong value ends the start with one line that names the variable, the value and what is
expected.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from netgw.engine.policy import InvalidPolicies, parse

POD_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

CLUSTER_NETWORKS = tuple(
    IPv4Network(text)
    for text in (
        "10.42.0.0/16",  # k3s, pods
        "10.43.0.0/16",  # k3s, services
        "10.96.0.0/12",  # kubeadm, services
        "10.128.0.0/12",  # UpCloud Managed Kubernetes, services
        "10.244.0.0/16",  # Flannel with kubeadm, pods
        "192.168.0.0/16",  # UpCloud Managed Kubernetes and Calico, pods
    )
)
"""Where clusters have their pods and services when nobody chose otherwise. Never all of 10.0.0.0/8: most is free."""


class SettingsError(Exception):
    """A setting has a wrong value; the message is one line."""


class Address(NamedTuple):
    """Where to listen; port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def own_namespace(file: Path = POD_NAMESPACE_FILE) -> str:
    """The namespace of the pod, `default` outside of one."""
    try:
        return file.read_text().strip() or "default"
    except OSError:
        return "default"


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("not an address")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _names(value: object) -> object:
    return tuple(filter(None, (name.strip() for name in value.split(",")))) if isinstance(value, str) else value


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    texts = () if _lower(value) == "none" else tuple(text.strip() for text in value.split(",") if text.strip())
    if any("/" not in text for text in texts):
        raise ValueError("a network without its length")
    return texts


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _policies(value: object) -> object:
    try:
        return parse(value, "NETGW_DEFAULT_POLICIES") if isinstance(value, str) else value
    except InvalidPolicies as error:
        raise ValueError(str(error)) from None


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, description="seconds, a number above 0")]
SecondsOrNever = Annotated[
    float, Field(ge=0, allow_inf_nan=False, description="seconds, a number above 0, or 0 for never")
]
Share = Annotated[float, Field(gt=0, le=1, description="a number above 0, at most 1")]
Switch = Annotated[bool, Field(description="true or false")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")]


class Settings(BaseSettings):
    """The descriptions double as the "expected" of an error message."""

    model_config = SettingsConfigDict(env_prefix="NETGW_", env_ignore_empty=True, enable_decoding=False, frozen=True)

    kubeconfig: Annotated[
        str | None, Field(validation_alias="KUBECONFIG", description="the path of a kubeconfig file")
    ] = None
    cluster_name: Annotated[ClusterName | None, Field(description="1 to 60 characters of A-Z a-z 0-9 . _ and -")] = None
    namespace: Annotated[
        Namespace, Field(default_factory=own_namespace, description="the name of a namespace, the operator's own")
    ]
    namespaces: Annotated[
        tuple[Namespace, ...],
        BeforeValidator(_names),
        Field(description="names of namespaces with commas between; unset: all"),
    ] = ()
    poll_interval: Seconds = 60
    fast_poll_interval: Seconds = 10
    secret_interval: Seconds = 300
    secret_watch: Switch = False
    metrics_interval: SecondsOrNever = 60
    metrics_share: Share = 0.25
    workers: Annotated[int, Field(ge=1, le=256, description="a whole number from 1 to 256")] = 8
    read_only: Switch = False
    default_credentials_namespaces: Annotated[
        tuple[Namespace | Literal["*"], ...],
        BeforeValidator(_names),
        Field(description="names of namespaces with commas between, or * for all"),
    ] = ("*",)
    credentials_finalizer: Switch = False
    default_policies: Annotated[
        dict[str, str],
        BeforeValidator(_policies),
        Field(default_factory=dict, description='policies as JSON, for example {"deletionPolicy": "Retain"}'),
    ]
    fingerprint_key_file: Annotated[Path | None, Field(description="the path of a file")] = None
    listen: Annotated[
        Address, BeforeValidator(_address), Field(description="host:port, for example 127.0.0.1:8080")
    ] = Address("127.0.0.1", 8080)
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower), Field(description="text or json")] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(_lower),
        Field(description="debug, info, warning or error"),
    ] = "info"
    leader_election: Switch = False
    cluster_networks: Annotated[
        tuple[IPv4Network, ...],
        BeforeValidator(_networks),
        Field(description="IPv4 networks without host bits, with commas between, for example 10.96.0.0/12; or none"),
    ] = CLUSTER_NETWORKS

    @classmethod
    def load(cls, kubeconfig: str | None = None) -> Self:
        """Read the environment; `kubeconfig` (the option --kubeconfig) goes before it. Raises `SettingsError`."""
        given: dict[str, Any] = {"KUBECONFIG": kubeconfig} if kubeconfig else {}
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise SettingsError(_line(error)) from None
        if settings.namespaces and not settings.cluster_name:
            raise SettingsError(
                "NETGW_CLUSTER_NAME is not set; expected together with NETGW_NAMESPACES: "
                f"{cls.model_fields['cluster_name'].description}"
            )
        return settings


def _line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    field = str(first["loc"][0]).lower()
    name = "KUBECONFIG" if field == "kubeconfig" else f"NETGW_{field.upper()}"
    return f"{name} is {first['input']!r}; expected {Settings.model_fields[field].description}"
