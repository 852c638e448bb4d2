"""The series about what the operator itself does: passes, queue, drift, accounts. Data only: `metrics.py` renders it.

Names follow Prometheus, as in `measures.py`. What is counted here is of the process, by words that are few; what has
the name of an object or a Secret in its labels is read from what is there now, so that it goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from netgw.engine.objects import Key, Object
from netgw.engine.queue import Queue
from netgw.engine.store import Store
from netgw.engine.tally import Histogram, Tally
from netgw.kube.telemetry import AccountSample

Labels = tuple[str, ...]
"""Values of labels."""


class Family(NamedTuple):
    """One family with all its series."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels
    values: Mapping[Labels, float] | Mapping[Labels, Histogram]


def of_passes(tally: Tally) -> Iterator[Family]:
    """Counted since the process began."""
    kind = ("kind",)
    passes: dict[Labels, float] = {(*key,): count for key, count in tally.passes.items()}
    by = ("kind", "outcome", "reason")
    yield Family("netgw_reconciles", "counter", "Passes over objects, by how they ended.", by, passes)
    took: dict[Labels, Histogram] = {(name,): histogram for name, histogram in tally.took.items()}
    yield Family("netgw_reconcile_duration_seconds", "histogram", "How long passes took.", kind, took)
    ready: dict[Labels, Histogram] = {(name,): histogram for name, histogram in tally.ready.items()}
    text = "From the creation of an object to the first time that it was Ready."
    yield Family("netgw_time_to_ready_seconds", "histogram", text, kind, ready)
    drift: dict[Labels, float] = {(name, event): count for (name, event), count in tally.drift.items()}
    text = "Fields that drifted, by what became of them."
    yield Family("netgw_drift_fields", "counter", text, ("kind", "event"), drift)
    keys: dict[Labels, float] = {(name,): count for name, count in tally.keys.items()}
    yield Family("netgw_secret_rotations", "counter", "Changed keys of Secrets that the cloud accepted.", kind, keys)


def of_queue(queue: Queue[Key]) -> Iterator[Family]:
    """At this moment."""
    for name, text, value in (
        ("netgw_queue_depth", "Objects that are due and wait for a worker.", queue.waiting),
        ("netgw_queue_active", "Objects that are worked on.", queue.active),
        ("netgw_queue_oldest_seconds", "For how long the first in the queue has waited.", queue.oldest),
        ("netgw_queue_longest_pass_seconds", "For how long the longest pass that is not over has run.", queue.longest),
    ):
        now: dict[Labels, float] = {(): float(value)}
        yield Family(name, "gauge", text, (), now)


def of_objects(store: Store) -> Iterator[Family]:
    """Drift that is open now."""
    text = "Fields that the cloud has otherwise than the spec says, though it had them so."
    labels = ("kind", "namespace", "name", "account", "policy")
    values: dict[Labels, float] = {
        (obj.kind, obj.namespace, obj.name, account_of(obj), _policy(obj)): float(len(obj.status.get("drift") or ()))
        for obj in store
        if obj.status.get("conditions")
    }
    yield Family("netgw_object_drift_fields", "gauge", text, labels, values)


def account_of(obj: Object) -> str:
    """As its status records it."""
    return str(obj.status.get("account") or "")


def _policy(obj: Object) -> str:
    """What becomes of drift."""
    policies = obj.status.get("policies") or {}
    return "Observe" if policies.get("managementPolicy") == "Observe" else str(policies.get("driftPolicy") or "")


CREDENTIAL = ("account", "namespace", "secret")
_Value = Callable[[AccountSample], float | None]
_OF_CREDENTIALS: tuple[tuple[str, str, _Value], ...] = (
    ("netgw_account_last_look_timestamp_seconds", "When the cloud was last seen.", lambda s: s.last_look),
    (
        "netgw_credentials_expiry_timestamp_seconds",
        "When credentials expire, as their Secret says.",
        lambda s: s.expires,
    ),
    ("netgw_account_budget_calls", "Calls that could go out at once.", lambda s: s.budget),
)


def of_accounts(samples: Iterable[AccountSample]) -> Iterator[Family]:
    """One series per credential; what is the account's own is there once."""
    known = list(samples)
    for name, text, value in _OF_CREDENTIALS:
        found = ((_credential(sample), value(sample)) for sample in known)
        yield Family(name, "gauge", text, CREDENTIAL, {at: float(number) for at, number in found if number is not None})
    held = {_credential(sample): float(sample.held_back) for sample in known}
    text = "Calls that were held back for want of a turn."
    yield Family("netgw_account_held_back_calls", "counter", text, CREDENTIAL, held)
    why: dict[Labels, float] = {(*_credential(s), s.hold): 1.0 for s in known if s.hold is not None}
    text = "1 for credentials with which no call can be made, with the reason."
    yield Family("netgw_account_hold", "gauge", text, (*CREDENTIAL, "reason"), why)
    money: dict[Labels, float] = {(s.account,): s.credits for s in known if s.credits is not None}
    yield Family(
        "netgw_account_credits", "gauge", "The balance of the account, as the cloud says.", ("account",), money
    )


def _credential(sample: AccountSample) -> Labels:
    return sample.account, sample.namespace, sample.secret
