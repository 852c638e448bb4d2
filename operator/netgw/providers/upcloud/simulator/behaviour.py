"""What differs between the API of today and the one that older recordings show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Behaviour:
    """The defaults are today's API; the recorded years exist so that their exchanges can be replayed."""

    plan_required: bool = True
    """A create without `plan` is a 400 (since July 2026)."""
    authentication_required: bool = True
    """A tunnel PATCH with `ipsec` needs `ipsec.authentication.authentication` (since July 2026)."""
    tunnel_name_required: bool = True
    """A tunnel PATCH without `name` is a 400 (so the official clients say, since 2024)."""
    later_fields: bool = True
    """Answers carry what postdates the recordings: tunnel_up, tunnel_healthy, tunnel_internal_ip, …"""
    plan_and_connections: bool = True
    """A service's answer carries `plan` and `connections` (since 2024)."""
    attached_gateways: bool = True
    """A router's answer carries `attached_network_gateways` (since September 2023)."""

    @classmethod
    def today(cls) -> Self:
        """The API as its documents and official clients describe it now."""
        return cls()

    @classmethod
    def recorded_2024(cls) -> Self:
        """June 2024: partial `ipsec.authentication` in a tunnel PATCH, no health fields."""
        return cls(authentication_required=False, later_fields=False)

    @classmethod
    def recorded_2023(cls) -> Self:
        """August 2023: NAT only, no `plan` and no `connections`."""
        return cls(
            plan_required=False,
            authentication_required=False,
            later_fields=False,
            plan_and_connections=False,
            attached_gateways=False,
        )
