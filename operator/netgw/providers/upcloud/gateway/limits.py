"""What UpCloud refuses of a gateway, said with the numbers. Pure: judged from what was last seen and from its plans.

| asked for                                      | before the call                                      |
|------------------------------------------------|------------------------------------------------------|
| a plan that UpCloud does not name              | Rejected, with those that it names                   |
| a feature that the plan does not have          | Rejected, with the plans that have it                |
| no feature vpn, while there are connections    | Rejected, naming them                                |
| a plan that is too small in every reading      | QuotaReached                                         |
| a plan that is too small in one reading        | the API decides; its answer is told with the numbers |

The number of a plan may mean connections or tunnels: the API's words say the one, the name of the field the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.plan import Values
from netgw.providers.upcloud.advice.who import some
from netgw.providers.upcloud.api import Plan, UpCloudError
from netgw.providers.upcloud.failures import what_it_says
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.room import AGAIN

Plans = Mapping[str, Plan]


def unknown_plan(plans: Plans, values: Values) -> Stalled | None:
    """A plan that cannot be had. Of an empty list nothing follows."""
    name = str(values.get("plan"))
    if not plans or name in plans:
        return None
    return Stalled("Rejected", f"Not created: UpCloud has no plan {name}, it has {some(sorted(plans), 10)}. Set plan.")


def plan_without_feature(plans: Plans, values: Values) -> Stalled | None:
    """A feature that the plan does not have."""
    chosen, features = plans.get(str(values.get("plan"))), values.get("features") or ()
    lacking = [] if chosen is None else [feature for feature in features if feature not in chosen.supported_features]
    if chosen is None or not lacking:
        return None
    able = sorted(plan.name for plan in plans.values() if set(features) <= set(plan.supported_features))
    less = f"take {lacking[0]} out of features."
    advice = f"Set plan to one that has it ({some(able, 10)}), or {less}" if able else less.capitalize()
    return Stalled("Rejected", f"Plan {chosen.name} has no feature {lacking[0]}. {advice}")


def refused_change(plans: Plans, entry: Entry, observed: Values, target: Values) -> Hold | None:
    """What is surely refused of a change. `target`: what it sets."""
    if (held := _vpn_needed(entry, target) or _too_small(plans, entry, target)) is not None:
        return held
    if not target.keys() & {"plan", "features"}:
        return None
    return plan_without_feature(plans, {**observed, **target})


@contextmanager
def counting_downgrade(plans: Plans, entry: Entry, target: Values) -> Iterator[None]:
    """A smaller plan that the API refuses is told with the numbers, where these are in the way in one reading."""
    try:
        yield
    except UpCloudError as error:
        wanted = plans.get(str(target.get("plan")))
        if error.status != 400 or wanted is None or max(_used(entry)) <= wanted.vpn_tunnel_amount:
            raise
        held = _quota(wanted, entry, f" UpCloud says: {what_it_says(error)}")
        raise CallFailed(held, status=error.status) from None


def _vpn_needed(entry: Entry, target: Values) -> Stalled | None:
    if "vpn" in _features(target) or not entry.connections:
        return None
    names = some([connection.name for connection in entry.connections])
    return Stalled(
        "Rejected",
        f"Not changed: feature vpn cannot go while gateway {entry.gateway.name} has connections ({names}). "
        f"Delete them first, or put vpn back into spec.features.",
    )


def _features(target: Values) -> Collection[str]:
    features: Sequence[str] = target.get("features", ("vpn",))
    return features


def _too_small(plans: Plans, entry: Entry, target: Values) -> Waiting | None:
    wanted = plans.get(str(target.get("plan")))
    return None if wanted is None or min(_used(entry)) <= wanted.vpn_tunnel_amount else _quota(wanted, entry)


def _used(entry: Entry) -> tuple[int, int]:
    return len(list(entry.tunnels())), len(entry.connections)


def _quota(wanted: Plan, entry: Entry, quoted: str = "") -> Waiting:
    tunnels, connections = _used(entry)
    return Waiting(
        "QuotaReached",
        f"Not changed: plan {wanted.name} has {wanted.vpn_tunnel_amount} tunnels and {entry.gateway.name} uses "
        f"{tunnels}, in {connections} connections. Delete some first, or set a larger plan.{quoted} Tried again every "
        f"15 min.",
        AGAIN,
    )
