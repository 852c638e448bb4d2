"""The one list of providers, hence of everything that is managed."""

from __future__ import annotations

from netgw.kube.kind import Kind
from netgw.kube.provider import Provider
from netgw.providers.upcloud.provider import UPCLOUD

PROVIDERS: tuple[Provider, ...] = (UPCLOUD,)
KINDS: tuple[Kind, ...] = tuple(kind for provider in PROVIDERS for kind in provider.kinds)
