"""The models of the three kinds as the operator parses with them: strict specs, lenient statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from netgw.engine.actuator import InvalidSpec
from netgw.kinds import KINDS
from netgw.kube import crd
from netgw.kube.kind import Kind, parse, parse_spec, parse_status
from netgw.kube.resource import Spec
from netgw.providers.upcloud import psk
from netgw.providers.upcloud.connection.model import ConnectionSpec, ConnectionStatus
from netgw.providers.upcloud.gateway.model import GatewaySpec, GatewayStatus
from netgw.providers.upcloud.ipsec import Ipsec
from netgw.providers.upcloud.tunnel.model import TunnelSpec, TunnelStatus

ROOT = Path(__file__).resolve().parents[3]
RECORDINGS = Path(__file__).parent / "recordings" / "exchanges.json"
ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"

GATEWAY: dict[str, Any] = {"zone": "fi-hel1", "plan": "production", "features": ["vpn"], "routerRef": {"uuid": ROUTER}}
CONNECTION: dict[str, Any] = {
    "gatewayRef": {"name": "edge"},
    "remoteRoutes": [{"name": "a", "staticNetwork": "10.0.2.0/24"}],
}
TUNNEL: dict[str, Any] = {
    "connectionRef": {"name": "edge-to-office"},
    "remoteAddress": {"address": "100.10.0.111"},
    "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk"}}},
}

ONE_PARENT = "give exactly one of name and uuid"
BOTH = {"name": "edge", "uuid": ROUTER}
BAD_SPECS: list[tuple[str, type[Spec], Any, str]] = [
    ("nothing", ConnectionSpec, None, "spec.gatewayRef: Field required"),
    ("no object", GatewaySpec, ["zone"], "spec: Input should be a valid dictionary"),
    ("zone", GatewaySpec, GATEWAY | {"zone": "h" * 3000}, "spec.zone: String should have at most 7 characters"),
    ("feature", GatewaySpec, GATEWAY | {"features": ["vpn", "x"]}, "spec.features[1]: Input should be 'nat' or 'vpn'"),
    ("address", GatewaySpec, GATEWAY | {"addresses": [{"name": "a b"}]}, "spec.addresses[0].name: String should match"),
    ("two parents", ConnectionSpec, CONNECTION | {"gatewayRef": BOTH}, f"spec.gatewayRef: {ONE_PARENT}"),
    ("no parent", TunnelSpec, TUNNEL | {"connectionRef": {}}, f"spec.connectionRef: {ONE_PARENT}"),
    ("many", TunnelSpec, TUNNEL | {"ipsec": {"phase1DhGroupNumbers": [1] * 9}}, "; and 5 more"),
]

BROKEN_STATUSES: list[tuple[str, Any]] = [
    ("nothing", None),
    ("text", "running"),
    ("list", [1]),
    ("condition without a type", {"conditions": [{"status": "True"}]}),
    ("conditions no list", {"conditions": {"Ready": "True"}}),
    ("time", {"create": {"name": "edge", "at": "yesterday"}}),
    ("time without zone", {"drift": [{"path": "plan", "since": "2026-11-22T02:41:00"}]}),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


SAMPLES = sorted((ROOT / "deploy" / "samples").glob("*.yaml"))


def sample(path: Path) -> tuple[list[Spec], dict[str, dict[str, str]]]:
    """Its specs in their order, and its Secrets by name."""
    documents = list(yaml.safe_load_all(path.read_text()))
    kinds = {kind.kind: kind for kind in KINDS}
    secrets = {doc["metadata"]["name"]: doc["stringData"] for doc in documents if doc["kind"] == "Secret"}
    specs = [parse(kinds[doc["kind"]], doc)[0] for doc in documents if doc["kind"] != "Secret"]
    return specs, secrets


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_parses_and_has_the_secrets_that_it_names(path: Path) -> None:
    specs, secrets = sample(path)
    unused = set(secrets)
    for spec in specs:
        assert spec.import_ is not None or spec.missing() == ()
        if isinstance(spec, GatewaySpec) and spec.credentials_secret_ref is not None:
            data = secrets[spec.credentials_secret_ref.name]
            assert data.keys() in ({"token"}, {"username", "password"})
            unused.discard(spec.credentials_secret_ref.name)
        if isinstance(spec, TunnelSpec) and (ref := spec.psk_secret_ref) is not None:
            assert isinstance(psk.check(secrets[ref.name][ref.key].encode()), psk.GoodKey)
            unused.discard(ref.name)
    assert unused == set()


def test_what_is_adopted_is_named_and_nothing_else() -> None:
    """Nothing of a spec is set that could be sent, should somebody manage it."""
    specs, _ = sample(ROOT / "deploy" / "samples" / "adopt.yaml")
    said = [{name for name, value in spec if value is not None} for spec in specs]
    assert said == [{"import_"}, {"import_", "gateway_ref"}, {"import_", "connection_ref"}]


def test_the_site_to_site_sample() -> None:
    (gateway, connection, first, second), secrets = sample(ROOT / "deploy" / "samples" / "site-to-site.yaml")
    assert isinstance(gateway, GatewaySpec)
    assert gateway.router_ref is not None
    assert gateway.router_ref.uuid == ROUTER
    assert (gateway.plan, gateway.features) == ("production", ("vpn",))
    assert isinstance(connection, ConnectionSpec)
    assert connection.gateway_ref.name == "edge"
    assert connection.local_routes is not None
    assert (connection.local_routes[0].static_network, connection.local_routes[0].type) == ("10.0.1.0/24", "static")
    assert isinstance(first, TunnelSpec)
    assert isinstance(second, TunnelSpec)
    assert first.remote_address != second.remote_address
    assert first.psk_secret_ref is not None
    assert first.psk_secret_ref == second.psk_secret_ref
    assert [first.psk_secret_ref.name] == list(secrets)


@pytest.mark.parametrize(
    ("model", "spec"),
    [(GatewaySpec, GATEWAY), (ConnectionSpec, CONNECTION), (TunnelSpec, TUNNEL)],
    ids=["ngw", "vpnc", "vpnt"],
)
def test_what_is_not_set_is_none(model: type[Spec], spec: dict[str, Any]) -> None:
    parsed = parse_spec(model, spec)
    assert {name for name, value in parsed if value is not None} == {
        name for name, field in model.model_fields.items() if field.alias in spec
    }


def test_an_empty_list_is_not_an_unset_one() -> None:
    connection = parse_spec(ConnectionSpec, CONNECTION | {"localRoutes": []})
    assert connection.local_routes == ()


def test_lists_keep_the_order_of_the_manifest() -> None:
    tunnel = parse_spec(TunnelSpec, TUNNEL | {"ipsec": TUNNEL["ipsec"] | {"phase1DhGroupNumbers": [21, 14, 19]}})
    assert tunnel.ipsec is not None
    assert tunnel.ipsec.phase1_dh_group_numbers == (21, 14, 19)


def test_a_spec_newer_than_the_operator_parses() -> None:
    assert parse_spec(GatewaySpec, GATEWAY | {"invented": {"later": True}}) == parse_spec(GatewaySpec, GATEWAY)


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse_spec(GatewaySpec, GATEWAY).plan = "advanced"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("model", "spec", "message"), [row[1:] for row in BAD_SPECS], ids=[row[0] for row in BAD_SPECS]
)
def test_an_invalid_spec_is_told_in_one_line(model: type[Spec], spec: Any, message: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(model, spec)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert len(text) < 600
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@pytest.mark.parametrize("status", [row[1] for row in BROKEN_STATUSES], ids=[row[0] for row in BROKEN_STATUSES])
def test_a_broken_status_counts_as_absent(kind: Kind, status: Any) -> None:
    assert parse_status(kind.status, status) == kind.status()


def test_only_the_broken_field_of_a_status_is_lost() -> None:
    status = parse_status(
        GatewayStatus, {"uuid": ROUTER, "connections": "many", "operationalState": "a-new-word", "more": 1}
    )
    assert status == GatewayStatus(uuid=ROUTER, operational_state="a-new-word")


@given(st.sampled_from(KINDS), st.data())
def test_no_status_ever_fails(kind: Kind, data: st.DataObject) -> None:
    names = [field.alias or name for name, field in kind.status.model_fields.items()]
    status = data.draw(JSON | st.dictionaries(st.sampled_from(names) | st.text(), JSON, max_size=4))
    assert isinstance(parse_status(kind.status, status), kind.status)


@pytest.mark.parametrize("model", [GatewayStatus, ConnectionStatus, TunnelStatus])
def test_a_status_survives_its_own_json(model: type[BaseModel]) -> None:
    full = {
        "uuid": ROUTER,
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T02:41:00Z"}],
        "create": {"name": "edge", "at": "2026-11-22T02:41:00Z", "psk": {"fingerprint": "v1:a:b"}},
        "lastHandledReconcileAt": "now",
    }
    assert model.model_validate(full).model_dump(mode="json", by_alias=True, exclude_none=True) == full


def recorded_ipsec() -> dict[str, Any]:
    """What UpCloud answered to a tunnel that was made with nothing but a key."""
    exchanges = json.loads(RECORDINGS.read_text())
    made = next(one for one in exchanges if one["method"] == "POST" and one["path"].endswith("/connections/"))
    asked, answered = (made[body]["tunnels"][0]["ipsec"] for body in ("request_json", "response_json"))
    assert asked.keys() == {"authentication"}
    return {name: value for name, value in answered.items() if name != "authentication"}


@pytest.mark.parametrize(("name", "default"), recorded_ipsec().items())
def test_the_default_of_the_cloud_is_documented_and_allowed(name: str, default: Any) -> None:
    field = Ipsec.model_fields[name]
    shown = ", ".join(str(value) for value in default) if isinstance(default, list) else str(default)
    assert f"Default of UpCloud: {shown}." in crd.schema(Ipsec)["properties"][field.alias or name]["description"]
    parse_spec(TunnelSpec, TUNNEL | {"ipsec": TUNNEL["ipsec"] | {str(field.alias): default}})


def test_every_recorded_ipsec_field_is_there() -> None:
    assert set(Ipsec.model_fields) == recorded_ipsec().keys() | {"authentication"}
