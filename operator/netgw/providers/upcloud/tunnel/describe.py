"""What status says of a tunnel: Ready is traffic and nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from netgw.engine.actuator import Condition, Observation, Resolution
from netgw.engine.objects import Json, Object, format_time, parse_time
from netgw.providers.upcloud.api import Gateway, Tunnel
from netgw.providers.upcloud.tunnel.key import is_sending
from netgw.providers.upcloud.tunnel.rotation import Turn
from netgw.providers.upcloud.tunnel.sharers import secret_key
from netgw.providers.upcloud.tunnel.state import ENDING, DownMessage, cause, is_up, news

NOTICED_LATE = timedelta(minutes=5)
"""A tunnel goes down before we see it. Where the last look that saw it up is not known, so much earlier is news."""

SECRET_REASONS = frozenset({"SecretNotFound", "SecretKeyNotFound", "InvalidPsk"})


@dataclass(frozen=True)
class Known:
    """What is known beside the last look.

    `message` is the last one of the metrics; `seen_up` is the cloud's time of the last look that saw the tunnel up;
    `interrupted` and `after` are those of `Rollout.interrupted`; `turn` is what came of the rotation of the key.
    """

    now: datetime
    message: DownMessage | None = None
    seen_up: datetime | None = None
    interrupted: str | None = None
    after: float | None = None
    turn: Turn = field(default_factory=Turn)


def describe(obj: Object, gateway: Gateway, tunnel: Tunnel, resolution: Resolution | None, known: Known) -> Observation:
    """`resolution`: None where the Secret was not looked at."""
    up, local = is_up(tunnel), tunnel.local_address.name
    since = _since(obj, up, known.now)
    return Observation(
        ready=_ready(obj, gateway, tunnel, since, known),
        conditions=(_healthy(tunnel, up), _psk_in_sync(obj, resolution)),
        fields={
            "operationalState": tunnel.operational_state,
            "localAddress": next((a.address for a in gateway.addresses if a.name == local and a.address), local),
            "remoteAddress": tunnel.remote_address.address,
            "up": up,
            "healthy": tunnel.tunnel_healthy if up else None,
            "since": since,
            "interruptedAt": known.interrupted,
            **known.turn.fields,
        },
        after=min((seconds for seconds in (known.after, known.turn.after) if seconds is not None), default=None),
    )


def _since(obj: Object, up: bool | None, now: datetime) -> str | None:
    """The last change of `up`. A tunnel that was never up has none."""
    before: Json = obj.status.get("up")
    since: str | None = obj.status.get("since")
    if up is None or up == before or (since is None and not up):
        return since
    return format_time(now)


def _ready(obj: Object, gateway: Gateway, tunnel: Tunnel, since: str | None, known: Known) -> Condition:
    """The tunnel's rows of the Ready table, first that fits."""
    peer, state, up = tunnel.remote_address.address, tunnel.operational_state, is_up(tunnel)
    if gateway.configured_status == "stopped":
        return Condition(
            "Ready", "False", "GatewayStopped", f"Gateway {gateway.name} is stopped, as configured: no traffic."
        )
    if state in ENDING:
        return Condition("Ready", "False", "TunnelDown", f"In state {state}: the tunnel is going away. No traffic.")
    if up:
        return Condition("Ready", "True", "Up", f"Up since {since}, peer {peer}.")
    if up is None:
        words = f"UpCloud says {state}, a word that netgw does not know: whether traffic flows cannot be told from it."
        return Condition("Ready", "Unknown", "StateUnknown", words)
    if since is None:
        message = news(known.message, tunnel.created_at)
        why = (
            _why(obj, cause(message), peer, "The peer") or "Is it set up with this gateway's address and the same key?"
        )
        text = f"Peer {peer} has never connected: no traffic. {why}{_quote(message)}"
        return Condition("Ready", "False", "PeerNeverConnected", text)
    message = news(known.message, known.seen_up or _last_up(obj, since, known.now))
    reason = cause(message)
    why = _why(obj, reason, peer, f"Peer {peer}") or f"The tunnel to peer {peer} is down."
    changed = f" It was changed at {known.interrupted}, and the peer has to agree to that." if known.interrupted else ""
    return Condition("Ready", "False", reason, f"{why} No traffic since {since}.{changed}{_quote(message)}")


def _last_up(obj: Object, since: str, now: datetime) -> datetime:
    """At the fall status still has the time of the rise; later it has that of the fall."""
    if obj.status.get("up"):
        return parse_time(obj.status.get("since")) or now
    return (parse_time(since) or now) - NOTICED_LATE


def _why(obj: Object, reason: str, peer: str, who: str) -> str | None:
    """What a classified cause means, and what to do. `who`: the peer, as the sentence begins."""
    match reason:
        case "AuthenticationFailed":
            return (
                f"{who} refused authentication: the pre-shared key differs, or the peer does not identify as "
                f"{peer} (usual behind NAT). {_compare_keys(obj)}"
            )
        case "NoProposalChosen":
            return f"{who} accepts none of the proposals: compare algorithms and DH groups with the peer's."
        case "TrafficSelectorMismatch":
            return f"{who} wants other networks: compare the routes of the connection with the peer's."
        case "PeerUnreachable":
            return f"{who} does not answer: is it up, and are UDP 500 and 4500 open to it?"
        case _:
            return None


def _compare_keys(obj: Object) -> str:
    accepted, secret = (obj.status.get("psk") or {}).get("acceptedAt"), _secret(obj)
    if accepted is None:
        return f"Compare the key of {secret} with the peer's."
    return f"UpCloud accepted the key of {secret} at {accepted}; compare it with the peer's."


def _secret(obj: Object) -> str:
    """From the raw spec, which may be invalid."""
    used = secret_key(obj)
    return "the Secret" if used is None else f"Secret {used[0]}/{used[1]}"


def _quote(message: DownMessage | None) -> str:
    """What nobody could classify is quoted."""
    return f' UpCloud says: "{message.text}".' if message is not None and cause(message) == "TunnelDown" else ""


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
    if resolution is not None and secret_key(obj) is None:
        said = "The spec names no Secret with a key: the key that UpCloud has is never touched."
        return Condition("PskInSync", "Unknown", "NeverPushed", said)
    recorded = obj.status.get("psk") or {}
    held = next((h for h in resolution.holds if h.reason in SECRET_REASONS), None) if resolution else None
    if held is not None:
        return Condition("PskInSync", "Unknown", held.reason, held.message)
    wanted = resolution.desired.psk if resolution is not None and resolution.desired is not None else None
    remembered = resolution.remember if resolution is not None else None
    if is_sending(obj):
        said = "A key was sent and it is not known whether UpCloud took it, so the Secret's is sent again."
        return Condition("PskInSync", "False", "KeyChanged", said)
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
