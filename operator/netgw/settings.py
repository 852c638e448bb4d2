"""Environment and options as one frozen value. Credentials of a cloud are not here: its client reads them.

Every setting is the environment variable `NETGW_<FIELD>`, except `KUBECONFIG`, and the option `--<field>`, which goes
before it; what is empty counts as unset. The first wrong value ends the start with one line that names the variable or
option, the value and what is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic.fields import FieldInfo
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


CLUSTER_NAME_DEFAULT = "first 8 characters of the uid of namespace `kube-system`"
FINGERPRINT_KEY_DEFAULT = "the Secret `netgw-fingerprint-key` in `NETGW_NAMESPACE`, made when absent"


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


@dataclass(frozen=True)
class Told:
    """How a setting is told of: what a value has to be, and the default where its value does not say it."""

    expected: str
    default: str | None = None


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Told("seconds, a number above 0")]
SecondsOrNever = Annotated[float, Field(ge=0, allow_inf_nan=False), Told("seconds, a number above 0, or 0 for never")]
Share = Annotated[float, Field(gt=0, le=1), Told("a number above 0, at most 1")]
Switch = Annotated[bool, Told("true or false")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")]


class Settings(BaseSettings):
    """The descriptions are the page docs/settings.md and `netgw run --help`; see `settings_page`."""

    model_config = SettingsConfigDict(env_prefix="NETGW_", env_ignore_empty=True, enable_decoding=False, frozen=True)

    kubeconfig: Annotated[
        str | None,
        Told("the path of a kubeconfig file", "the cluster that it runs in"),
        Field(validation_alias="KUBECONFIG", description="path of a kubeconfig"),
    ] = None
    namespace: Annotated[
        Namespace,
        Told("the name of a namespace, the operator's own", "that of its pod, `default` outside of one"),
        Field(
            default_factory=own_namespace,
            description="its own namespace: the Secret `netgw-fingerprint-key` and the Lease `netgw` are there. "
            "`deploy/rbac.yaml` grants them in `netgw-system`",
        ),
    ]
    namespaces: Annotated[
        tuple[Namespace, ...],
        BeforeValidator(_names),
        Told("names of namespaces with commas between; unset: all", "all"),
        Field(
            description="the namespaces to watch, with commas between. Set `NETGW_CLUSTER_NAME` as well, it is "
            "required then"
        ),
    ] = ()
    cluster_name: Annotated[
        ClusterName | None,
        Told("1 to 60 characters of A-Z a-z 0-9 . _ and -", CLUSTER_NAME_DEFAULT),
        Field(
            description="the cluster's name in the mark on each gateway; 1 to 60 characters of `A-Z a-z 0-9 . _ -`. "
            "Set it "
            "before the day on which you rebuild the cluster: a new cluster has another uid, and by the name the old "
            "gateways are found. Two clusters that share an account must not share it"
        ),
    ] = None
    leader_election: Annotated[
        Switch,
        Field(description="`true`: several replicas, of which the one that holds the Lease works"),
    ] = False
    fingerprint_key_file: Annotated[
        Path | None,
        Told("the path of a file", FINGERPRINT_KEY_DEFAULT),
        Field(
            description="a file with the key for fingerprints of pre-shared keys, at least 16 bytes; one trailing "
            "newline does "
            "not count. With another key than before, the operator does not know which pre-shared keys were "
            "accepted: it sends none until one changes or you ask"
        ),
    ] = None
    default_credentials_namespaces: Annotated[
        tuple[Namespace | Literal["*"], ...],
        BeforeValidator(_names),
        Told("names of namespaces with commas between, or * for all"),
        Field(
            description="the namespaces that may use the operator's own credentials, with commas between; `*` for "
            "all. In others "
            "each gateway, or the namespace, has to name a Secret: [which "
            "credentials](credentials.md#which-credentials)"
        ),
    ] = ("*",)
    credentials_finalizer: Annotated[
        Switch,
        Field(
            description="`true`: Secrets with credentials that objects need get a finalizer, so that they [go "
            "last](credentials.md#when-the-secret-vanishes). Needs `deploy/rbac-credentials-finalizer.yaml`; where "
            "that is missing the log says so once an hour, and nothing else differs"
        ),
    ] = False
    poll_interval: Annotated[
        Seconds,
        Field(
            description="seconds between two looks at UpCloud when all is quiet. A look is one call for up to 99 "
            "gateways"
        ),
    ] = 60
    fast_poll_interval: Annotated[
        Seconds,
        Field(
            description="seconds between two looks while something is being set up, after a change, and for ten "
            "minutes after a "
            "tunnel changed"
        ),
    ] = 10
    secret_interval: Annotated[
        Seconds,
        Field(
            description="seconds between two looks at the metadata of each Secret that a tunnel or gateway refers "
            "to. One that "
            "is missing is looked for every 10 s"
        ),
    ] = 300
    secret_watch: Annotated[
        Switch,
        Field(
            description="`true`: watch Secrets instead, so that a change is known at once. Needs "
            "`deploy/rbac-secret-watch.yaml`"
        ),
    ] = False
    metrics_interval: Annotated[
        SecondsOrNever,
        Field(
            description="seconds between two samples of each gateway's traffic, one call each, while somebody scrapes "
            "[`/metrics`](metrics.md). `0`: never. Why a tunnel fell is asked all the same"
        ),
    ] = 60
    metrics_share: Annotated[
        Share,
        Field(
            description="the part of the calls to UpCloud (5 per second for one credential) that samples may take, "
            "above 0, at "
            "most 1. With more gateways than that allows, each is sampled less often"
        ),
    ] = 0.25
    workers: Annotated[
        int,
        Field(ge=1, le=256),
        Told("a whole number from 1 to 256"),
        Field(description="how many objects are worked on at a time, 1 to 256"),
    ] = 8
    read_only: Annotated[
        Switch,
        Field(
            description="`true`: look and report, change and delete nothing in UpCloud. Every object says "
            "`ReadOnly`. An import "
            "is still bound, and what is observed or retained may be deleted here"
        ),
    ] = False
    default_policies: Annotated[
        dict[str, str],
        BeforeValidator(_policies),
        Told('policies as JSON, for example {"deletionPolicy": "Retain"}', "none"),
        Field(
            default_factory=dict,
            description="[policies](policies.md) where neither an object, its gateway nor its namespace says any, "
            "as JSON: "
            '`{"deletionPolicy": "Retain"}`',
        ),
    ]
    cluster_networks: Annotated[
        tuple[IPv4Network, ...],
        BeforeValidator(_networks),
        Told("IPv4 networks without host bits, with commas between, for example 10.96.0.0/12; or none"),
        Field(
            description="networks of pods and services of the clusters behind your gateways, with commas between; "
            "`none` for "
            "none. A connection with a route inside one of them says so in its condition "
            "[`Warning`](conditions.md#warning). The default is what k3s, kubeadm with Flannel, Calico and UpCloud "
            "Managed Kubernetes use when nobody chooses otherwise"
        ),
    ] = CLUSTER_NETWORKS
    listen: Annotated[
        Address,
        BeforeValidator(_address),
        Told("host:port, for example 127.0.0.1:8080"),
        Field(
            description="where the probes `/livez` and `/readyz` and [`/metrics`](metrics.md) are served, host:port. "
            "`0.0.0.0:8080` for a kubelet; port 0 takes a free one and the log says which"
        ),
    ] = Address("127.0.0.1", 8080)
    log_format: Annotated[
        Literal["text", "json"],
        BeforeValidator(_lower),
        Told("text or json"),
        Field(description="`text` or `json`, on standard error"),
    ] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(_lower),
        Told("debug, info, warning or error"),
        Field(description="`debug`, `info`, `warning` or `error`. Libraries speak from warning on, whatever the level"),
    ] = "info"

    @classmethod
    def load(cls, **flags: str | None) -> Self:
        """Environment, and `flags` by field, which go before it; what is empty is unset. Raises `SettingsError`."""
        given = {field: value for field, value in flags.items() if value}
        try:
            settings = cls(**{_key(field): value for field, value in given.items()})  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(_line(error, given)) from None
        if settings.namespaces and not settings.cluster_name:
            raise SettingsError(
                "NETGW_CLUSTER_NAME is not set; expected together with NETGW_NAMESPACES: "
                f"{told(cls.model_fields['cluster_name']).expected}"
            )
        return settings


def variable(field: str) -> str:
    """The environment variable of a field."""
    return "KUBECONFIG" if field == "kubeconfig" else f"NETGW_{field.upper()}"


def flag(field: str) -> str:
    """The option of `netgw run` for a field."""
    return f"--{field.replace('_', '-')}"


def told(info: FieldInfo) -> Told:
    """How a field is told of."""
    return next(each for each in reversed(info.metadata) if isinstance(each, Told))


def _key(field: str) -> str:
    return variable(field) if Settings.model_fields[field].validation_alias else field


def _line(error: ValidationError, flags: Mapping[str, str]) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    field = str(first["loc"][0]).lower()
    name = flag(field) if field in flags else variable(field)
    return f"{name} is {first['input']!r}; expected {told(Settings.model_fields[field]).expected}"
