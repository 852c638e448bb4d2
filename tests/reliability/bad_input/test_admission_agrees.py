"""Values from the schemas of the CRDs, at their borders and beyond, asked of the real API server by dry run.

Whatever it accepts, the operator parses, for a spec that was let in and cannot be read stalls an object that its user
was told is fine. The other direction is a figure and no rule: admission may know more, by rules in CEL.
"""

from __future__ import annotations

import json
from collections import Counter

from netgw.engine.actuator import InvalidSpec
from netgw.engine.objects import Object
from netgw.engine.store import Store
from netgw.kinds import PROVIDERS
from netgw.kube.kind import parse, parse_spec
from netgw.providers.upcloud.base import validated
from support.cluster import Cluster
from support.effort import effort
from support.figures import Figures
from support.fuzz import manifests
from support.fuzz.dry_run import BY_KIND, Answer, asked

INPUTS = effort(test=1500, soak=7000)
LINKS = {kind: links for provider in PROVIDERS for kind, links in provider.links.items()}


def test_what_is_accepted_is_parsed(cluster: Cluster, figures: Figures) -> None:
    with cluster.namespace() as namespace:
        answers = list(asked(cluster, namespace, manifests.some(seed=5, number=INPUTS)))
    found = [answer for answer in answers if answer.stored is not None]
    broken = [f"{problem}: {manifests.text(answer.spec)}" for answer in found if (problem := _unreadable(answer))]
    statuses = Counter(answer.status for answer in answers)
    assert broken == []
    assert set(statuses) <= {201, 400, 422}, statuses
    assert len(found) >= len(answers) / 10, "hardly anything is accepted: the values say nothing"
    _tell(figures, answers)


def _unreadable(answer: Answer) -> str | None:
    """Why the operator cannot work with what was accepted."""
    kind, body = BY_KIND[answer.kind], answer.stored
    assert body is not None
    try:
        spec, _ = parse(kind, body)
        validated(spec)
    except InvalidSpec as error:
        return f"{answer.kind}: {error}"
    Store(LINKS).apply(Object(answer.kind, body))
    return None


def _tell(figures: Figures, answers: list[Answer]) -> None:
    """How many, and what admission refuses although the operator could read it."""
    accepted = sum(answer.stored is not None for answer in answers)
    figures.put("bad input", "manifests asked of admission by dry run", len(answers))
    figures.put("bad input", "accepted, all of them parsed / refused", f"{accepted} / {len(answers) - accepted}")
    stricter = [answer for answer in answers if answer.stored is None and _readable(answer)]
    figures.put("bad input", "refused although the operator could parse them (rules in CEL)", len(stricter))


def _readable(answer: Answer) -> bool:
    try:
        json.dumps(answer.spec)
        validated(parse_spec(BY_KIND[answer.kind].spec, answer.spec))
    except InvalidSpec:
        return False
    return True
