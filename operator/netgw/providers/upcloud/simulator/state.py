"""What a world holds, in a file, so that a simulator which ends, however it ends, goes on where it was.

Calls and faults are not kept: they belong to whoever watches one life of it. Of a key only its SHA-256 is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .records import Gateway, Router


@dataclass(frozen=True)
class Kept:
    """`last` and `ahead` are of its clock, which never goes back; `addresses` is how many it has looked at so far."""

    last: datetime
    ahead: timedelta
    addresses: int
    tunnel_number: int
    gateways: dict[str, Gateway]
    routers: dict[str, Router]
    floating_ips: dict[str, str]
    plans: dict[str, dict[str, Any]]


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


class StateError(Exception):
    """The file cannot be used; the message says why."""


def load(path: Path) -> Kept | None:
    """None: there is no such file yet."""
    try:
        return _KEPT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise StateError(f"{path} is not the state of a simulator: {error.errors()[0]['msg']}") from None


def save(path: Path, kept: Kept) -> None:
    """Whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_bytes(_KEPT.dump_json(kept, indent=1))
        beside.replace(path)
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}") from None
