"""The words for the state of a gateway, of UpCloud's API document and OpenAPI preview. Pure; any word is possible."""

from __future__ import annotations

from datetime import timedelta

from netgw.providers.upcloud.api import Gateway

SETTING_UP = frozenset(
    {
        "pending",
        "setup-agent",
        "setup-link-network",
        "setup-server",
        "setup-service",
        "setup-network",
        "setup-gw",
        "setup-dns",
        "checkup",
    }
)
"""Before `running`; `stopped` and unknown words are neither these nor an error."""

STABLE = frozenset({"running", "stopped"})
"""Nothing more comes by itself."""

SETUP_OVERDUE = timedelta(minutes=30)

ENDING = ("delete-", "detach-")
"""How the words begin of a gateway that goes."""


def is_ending(gateway: Gateway) -> bool:
    """Whether it is being deleted in the cloud."""
    return gateway.operational_state.startswith(ENDING)


def carries_traffic(gateway: Gateway) -> bool:
    """Whether a change of it can interrupt anything."""
    return gateway.operational_state == "running" and gateway.configured_status != "stopped"
