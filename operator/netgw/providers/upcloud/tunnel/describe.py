"""What status says of a tunnel: Ready is traffic and nothing else. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from netgw.engine.actuator import Condition, Observation, Resolution
from netgw.engine.objects import Json, Object, format_time, parse_time
from netgw.providers.upcloud.api import Gateway, Tunnel
from netgw.providers.upcloud.tunnel.state import ENDING, DownMessage, cause, is_up

NOTICED_LATE = timedelta(minutes=5)
"""A tunnel goes down before we see it: a message from shortly before `since` is about this fall."""

SECRET_REASONS = frozenset({"SecretNotFound", "SecretKeyNotFound", "InvalidPsk"})


def describe(
    obj: Object,
    gateway: Gateway,
    tunnel: Tunnel,
    resolution: Resolution | None,
    *,
    message: DownMessage | None,
    now: datetime,
    interrupted: str | None,
    after: float | None,
) -> Observation:
    """`message`: the last one of the metrics. `interrupted`, `after`: from `Rollout.interrupted`."""
    up = is_up(tunnel)
    local = next((a.address for a in gateway.addresses if a.name == tunnel.local_address.name), None)
    return Observation(
        ready=_ready(obj, gateway, tunnel, message),
        conditions=(_healthy(tunnel, up), _psk_in_sync(obj, resolution)),
        fields={
            "operationalState": tunnel.operational_state,
            "localAddress": local or tunnel.local_address.name,
            "remoteAddress": tunnel.remote_address.address,
            "up": up,
            "healthy": tunnel.tunnel_healthy if up else None,
            "since": _since(obj, up, now),
            "interruptedAt": interrupted,
        },
        after=after,
    )


def _since(obj: Object, up: bool | None, now: datetime) -> str | None:
    """The last change of `up`. A tunnel that was never up has none."""
    before: Json = obj.status.get("up")
    since: str | None = obj.status.get("since")
    if up is None or up == before or (since is None and not up):
        return since
    return format_time(now)


def _ready(obj: Object, gateway: Gateway, tunnel: Tunnel, message: DownMessage | None) -> Condition:
    """The tunnel's rows of the Ready table, first that fits."""
    peer, state, up = tunnel.remote_address.address, tunnel.operational_state, is_up(tunnel)
    if gateway.configured_status == "stopped":
        return Condition("Ready", "False", "GatewayStopped", f"Gateway {gateway.name} is stopped: no traffic.")
    if state in ENDING:
        return Condition("Ready", "False", "TunnelDown", f"State {state}: the tunnel is going away. No traffic.")
    if up:
        return Condition("Ready", "True", "Up", f"Up, peer {peer}.")
    if up is None:
        return Condition("Ready", "Unknown", "StateUnknown", f"UpCloud says {state}, a state that netgw does not know.")
    since = parse_time(obj.status.get("since"))
    if since is None:
        said = f' UpCloud says: "{message.text}".' if message is not None and message.text else ""
        text = f"Peer {peer} has never connected (state {state}). Is it set up with this gateway's address and the key?"
        return Condition("Ready", "False", "PeerNeverConnected", text + said)
    newer_than = since if obj.status.get("up") else since - NOTICED_LATE
    reason = cause(message, newer_than)
    return Condition("Ready", "False", reason, _down_text(obj, reason, peer, state, message))


def _down_text(obj: Object, reason: str, peer: str, state: str, message: DownMessage | None) -> str:
    psk = obj.status.get("psk") or {}
    ref = ((obj.spec.get("ipsec") or {}).get("authentication") or {}).get("pskSecretRef") or {}
    secret = f"{ref.get('name')}/{ref.get('key', 'psk')}"
    accepted = f" UpCloud accepted the key of Secret {secret} at {psk['acceptedAt']};" if psk.get("acceptedAt") else ""
    match reason:
        case "AuthenticationFailed":
            return (
                f"Peer {peer} refused authentication: the pre-shared key differs, or the peer does not identify as {peer} "
                f"(usual behind NAT).{accepted} compare it with the peer's."
            )
        case "NoProposalChosen":
            return f"Peer {peer} accepts none of the proposals: compare algorithms and DH groups with the peer's."
        case "TrafficSelectorMismatch":
            return f"Peer {peer} wants other networks: compare the routes of the connection with the peer's."
        case "PeerUnreachable":
            return f"Peer {peer} does not answer: is it up, and are UDP 500 and 4500 open to it?"
        case _:
            pass
    said = f' UpCloud says: "{message.text}".' if message is not None and message.text else ""
    return f"The tunnel to {peer} is down (state {state}): no traffic.{said}"


def _healthy(tunnel: Tunnel, up: bool | None) -> Condition:
    if not up:
        return Condition("Healthy", "Unknown", "NotUp", "The tunnel is not up.")
    if tunnel.tunnel_healthy is None:
        return Condition("Healthy", "Unknown", "NotTold", "UpCloud does not say.")
    if tunnel.tunnel_healthy:
        return Condition("Healthy", "True", "Healthy", "UpCloud saw no bad log message in the last five minutes.")
    return Condition("Healthy", "False", "BadLogMessages", "UpCloud saw bad log messages in the last five minutes.")


def _psk_in_sync(obj: Object, resolution: Resolution | None) -> Condition:
    """Whether the key that the Secret holds is the one that the cloud accepted last."""
    recorded = obj.status.get("psk") or {}
    held = next((h for h in resolution.holds if h.reason in SECRET_REASONS), None) if resolution else None
    if held is not None:
        return Condition("PskInSync", "Unknown", held.reason, held.message)
    wanted = resolution.desired.psk if resolution is not None and resolution.desired is not None else None
    remembered = resolution.remember if resolution is not None else None
    if not recorded.get("acceptedAt") or (remembered and remembered.fingerprint != recorded.get("fingerprint")):
        return Condition(
            "PskInSync",
            "Unknown",
            "NeverPushed",
            "netgw never sent this key, so it cannot know whether UpCloud has it. "
            "To send it: netgw.dev/push-psk-requested-at.",
        )
    if wanted is not None and wanted.fingerprint != recorded.get("fingerprint"):
        return Condition("PskInSync", "False", "KeyChanged", "The Secret holds a key that UpCloud does not have yet.")
    return Condition("PskInSync", "True", "Accepted", f"UpCloud accepted the Secret's key at {recorded['acceptedAt']}.")
