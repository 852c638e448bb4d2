"""Today's plans of gateways for people: `netgw plans`. One call with the operator's own credentials, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from netgw.kube.provider import ConfigurationError
from netgw.providers.upcloud.api import (
    BaseUrlError,
    Credentials,
    CredentialsError,
    Plan,
    TrustError,
    UpCloud,
    UpCloudError,
    base_url_from_env,
)

Form = Literal["table", "json"]

HEAD = ("NAME", "FEATURES", "TUNNELS", "MBIT/S", "VPN MBIT/S", "MAX CONNECTIONS", "SERVERS")
UNKNOWN = "-"


class PlansError(Exception):
    """They could not be read; the message is one line."""


async def plans_text(environ: Mapping[str, str], form: Form = "table", **options: Any) -> str:
    """The plans by name, as a table or as a JSON list in the words of the API.

    `environ` has the variables of the official clients, `options` are those of `UpCloud`. Raises ConfigurationError
    where they do not say how to reach it, and PlansError.
    """
    try:
        client = UpCloud(Credentials.from_env(environ), base_url=base_url_from_env(environ), **options)
    except (CredentialsError, BaseUrlError, TrustError) as error:
        raise ConfigurationError(str(error)) from None
    async with client:
        try:
            plans = sorted((await client.list_plans()).value, key=lambda plan: plan.name)
        except UpCloudError as error:
            raise PlansError(" ".join(str(error).split())) from None
    if form == "json":
        return json.dumps([plan.model_dump(mode="json") for plan in plans], indent=2)
    return aligned([HEAD, *(cells(plan) for plan in plans)])


def cells(plan: Plan) -> tuple[str, ...]:
    """One row. What UpCloud does not tell is a dash."""
    numbers = (
        plan.vpn_tunnel_amount,
        plan.per_gateway_bandwidth_mbps,
        plan.per_gateway_maximum_vpn_bandwidth_mbps,
        plan.per_gateway_max_connections,
        plan.server_number,
    )
    return (
        plan.name,
        ",".join(plan.supported_features) or UNKNOWN,
        *(UNKNOWN if number is None else str(number) for number in numbers),
    )


def aligned(rows: Sequence[Iterable[str]]) -> str:
    """Columns with three spaces between, as kubectl writes them."""
    lines = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
