"""Labels of a service: the verbs of /gateway/{uuid}/labels. They leave its state alone (assumption)."""

from __future__ import annotations

from collections.abc import Sequence

from . import problems, render, requests
from .ask import Ask
from .problems import NO_LABEL, NO_RESOURCE
from .records import Gateway

DUPLICATE = "Duplicate label key."


def as_dict(labels: Sequence[requests.Label]) -> dict[str, str]:
    """A set by key, in the order sent; 400 when a key comes twice."""
    found = {label.key: label.value or "" for label in labels}
    if len(found) != len(labels):
        raise problems.refused(DUPLICATE)
    return found


def listed(ask: Ask) -> list[dict[str, str]]:
    """All labels."""
    return render.labels(ask.gateway(NO_RESOURCE))


def get(ask: Ask) -> dict[str, str]:
    """One label."""
    return _label(ask.gateway(NO_RESOURCE), _key(ask, ask.gateway(NO_RESOURCE)))


def add(ask: Ask) -> dict[str, str]:
    """201 with the label."""
    draft = ask.draft(NO_RESOURCE)
    body = requests.parse(requests.Label, ask.body)
    if body.key in draft.labels:
        raise problems.refused(DUPLICATE)
    draft.labels[body.key] = body.value or ""
    return _done(ask, draft, body.key)


def modify(ask: Ask) -> dict[str, str]:
    """200 with the label; `key` renames it in its place."""
    draft = ask.draft(NO_RESOURCE)
    old = _key(ask, draft)
    body = requests.parse(requests.LabelPatch, ask.body)
    key = body.key if body.sent("key") else old
    value = (body.value or "") if body.sent("value") else draft.labels[old]
    if key != old and key in draft.labels:
        raise problems.refused(DUPLICATE)
    draft.labels = {key if each == old else each: draft.labels[each] for each in draft.labels} | {key: value}
    return _done(ask, draft, key)


def remove(ask: Ask) -> None:
    """204."""
    draft = ask.draft(NO_RESOURCE)
    del draft.labels[_key(ask, draft)]
    _done(ask, draft, None)


def _key(ask: Ask, gateway: Gateway) -> str:
    if ask.params["key"] not in gateway.labels:
        raise problems.not_found(NO_LABEL)
    return ask.params["key"]


def _label(gateway: Gateway, key: str) -> dict[str, str]:
    return {"key": key, "value": gateway.labels[key]}


def _done(ask: Ask, draft: Gateway, key: str | None) -> dict[str, str]:
    draft.updated_at = ask.now
    ask.commit(draft)
    return {} if key is None else _label(draft, key)
