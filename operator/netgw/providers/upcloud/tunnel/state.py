"""Is a tunnel up, and if not, why? Pure. The words are those of UpCloud's wire and of the IKE daemon's log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from netgw.providers.upcloud.api import Tunnel

UP = frozenset({"established", "rekeying", "rekeyed"})
DOWN = frozenset({"idle", "uninitialized", "created", "connecting"})
ENDING = frozenset({"deleting", "destroying"})


class DownMessage(NamedTuple):
    """`last_down_message` of the metrics, and when it was written."""

    text: str
    at: datetime | None


CAUSES = (
    ("AUTHENTICATION_FAILED", "AuthenticationFailed"),
    ("authentication failed", "AuthenticationFailed"),
    ("NO_PROPOSAL_CHOSEN", "NoProposalChosen"),
    ("no proposal", "NoProposalChosen"),
    ("TS_UNACCEPTABLE", "TrafficSelectorMismatch"),
    ("traffic selector", "TrafficSelectorMismatch"),
    ("giving up after", "PeerUnreachable"),
    ("no response", "PeerUnreachable"),
    ("timed out", "PeerUnreachable"),
    ("unreachable", "PeerUnreachable"),
)


def is_up(tunnel: Tunnel) -> bool | None:
    """`tunnel_up` where the answer has it, else from the state; None: the state is a word that nobody knows.

    Rekeying counts as up. A tunnel that ends is down whatever else it says.
    """
    if tunnel.operational_state in ENDING:
        return False
    if tunnel.tunnel_up is not None:
        return tunnel.tunnel_up
    if tunnel.operational_state in UP:
        return True
    return False if tunnel.operational_state in DOWN else None


def up_of_all(ups: Sequence[bool | None]) -> str:
    """`1/2`: how many of them are up."""
    return f"{sum(up is True for up in ups)}/{len(ups)}"


def news(message: DownMessage | None, since: datetime) -> DownMessage | None:
    """The message if it is from `since` or later. An older one says nothing of today: the cloud keeps it for hours."""
    if message is None or not message.text or message.at is None or message.at < since:
        return None
    return message


def cause(message: DownMessage | None) -> str:
    """The reason for being down, as a message says that is news."""
    lower = "" if message is None else message.text.lower()
    return next((reason for words, reason in CAUSES if words.lower() in lower), "TunnelDown")
