"""The one list of everything that is managed."""

from __future__ import annotations

from netgw.kube.kind import Kind
from netgw.providers.upcloud.connection.model import KIND as VPN_CONNECTION
from netgw.providers.upcloud.gateway.model import KIND as NETWORK_GATEWAY
from netgw.providers.upcloud.tunnel.model import KIND as VPN_TUNNEL

KINDS: tuple[Kind, ...] = (NETWORK_GATEWAY, VPN_CONNECTION, VPN_TUNNEL)
