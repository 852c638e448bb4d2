"""How much of a long proof is played: a part of it in every `make test`, all of it in `make soak`."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

SOAKING = os.environ.get("NETGW_EFFORT") == "soak"


def effort(*, test: T, soak: T) -> T:
    """How many seeds, points or examples: `soak` where NETGW_EFFORT says so."""
    return soak if SOAKING else test
