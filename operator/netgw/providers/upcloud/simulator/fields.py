"""The values of request bodies: which form each must have. No value is ever part of what is said of it."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from . import defaults

T = TypeVar("T")

_PSK = re.compile(r"[a-zA-Z1-9_.][a-zA-Z0-9_.]{7,63}")
_LABEL_VALUE = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")  # no control characters; the document's classes L N P S M Z


def _psk(value: SecretStr) -> SecretStr:
    if not _PSK.fullmatch(value.get_secret_value()):
        raise PydanticCustomError("psk", "Must be 8 to 64 characters of a-z, A-Z, 0-9, _ and ., and not begin with 0.")
    return value


def _ipv4(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except AddressValueError:
        raise PydanticCustomError("ipv4", "Must be an IPv4 address.") from None


def _internal_ip(value: str) -> str:
    if value == "":
        return value
    address = IPv4Address(_ipv4(value))
    if not address.is_link_local or int(address) % 4 not in (1, 2):
        raise PydanticCustomError("internal_ip", "Must be the second or third address of a /30 in 169.254.0.0/16.")
    return value


def _ping_interval(value: int) -> int:
    if 0 < value < 5:
        raise PydanticCustomError("ping_interval", "Must be 0 or at least 5.")
    return value


def _unique(values: list[T]) -> list[T]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("unique", "Items must be unique.")
    return values


def _label_value(value: str | None) -> str:
    value = value or ""
    if not _LABEL_VALUE.fullmatch(value):
        raise PydanticCustomError("label_value", "Must not contain control characters.")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Psk = Annotated[SecretStr, AfterValidator(_psk), Field(json_schema_extra={"pattern": f"^{_PSK.pattern}$"})]
Ipv4 = Annotated[str, AfterValidator(_ipv4), Field(json_schema_extra={"format": "ipv4"})]
InternalIp = Annotated[str, AfterValidator(_internal_ip)]
PingInterval = Annotated[int, Field(ge=0), AfterValidator(_ping_interval)]
Seconds = Annotated[int, Field(ge=0, le=2147483647)]
LabelKey = Annotated[str, StringConstraints(min_length=2, max_length=32, pattern=r"^[\x20-\x5E\x60-\x7E][\x20-\x7E]+$")]
LabelValue = Annotated[str | None, Field(max_length=255), AfterValidator(_label_value)]
Features = Annotated[list[defaults.Feature], Field(min_length=1), AfterValidator(_unique)]
Algorithms = Annotated[list[defaults.Algorithm], Field(min_length=1), AfterValidator(_unique)]
Integrities = Annotated[list[defaults.Integrity], Field(min_length=1), AfterValidator(_unique)]
DhGroups = Annotated[list[defaults.DhGroup], Field(min_length=1), AfterValidator(_unique)]
Status = Literal["started", "stopped"]
