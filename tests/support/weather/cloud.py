"""A cloud of which a part of all calls fails, whatever they are for: drawn anew for each request, from a seed."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable

from netgw.providers.upcloud.simulator.faults import Fault, Faults, Way, When

LIST = ("GET", "/1.3/gateway")
PAGE = "<html>Request 01KFDTBWFKWSYR6T8BDHY1JD5J was blocked</html>"
PARTS = re.compile(r"(?<=/labels/)[^/]+|[0-9a-f]{8}-[0-9a-f-]{27}")
"""Of a path, what stands for one object and for one label."""
SLOW = 30.0

WAYS: tuple[tuple[str, Way], ...] = (
    ("500", {"status": 500}),
    ("502 of a proxy", {"status": 502, "body": PAGE}),
    ("503", {"status": 503}),
    ("503 with Retry-After", {"status": 503, "headers": {"Retry-After": "7"}}),
    ("429", {"status": 429}),
    ("429 with Retry-After", {"status": 429, "headers": {"Retry-After": "20"}}),
    ("time-out", {"timeout": 60.0}),
    ("reset", {"reset": True}),
    ("half a body", {"half": True}),
    ("wrong content type", {"status": 200, "body": PAGE}),
    ("an answer of 30 s", {"slow": SLOW}),
)
"""A refusal of the cloud's own may come before or after the work, as everything that is lost on the way may."""

LISTS: tuple[tuple[str, Way], ...] = (("an empty list", {"status": 200, "body": []}), ("an item skipped", {"skip": 1}))
"""What only a list can do."""


class Storm(Faults):
    """Faults that come by themselves: `rate` of the calls fail in one of `ways`, lists in one of `lists` too.

    `seen` counts the calls while they do, `failed` what was done, `endpoints` to which calls. A 429 comes before the
    work, as who says that let nothing through.
    """

    def __init__(
        self,
        rng: random.Random,
        rate: float,
        ways: tuple[tuple[str, Way], ...] = WAYS,
        lists: tuple[tuple[str, Way], ...] = LISTS,
    ) -> None:
        super().__init__()
        self._lists = lists
        self.rate = rate
        self._ways = ways
        self._rng = rng
        self.seen = 0
        self.failed: Counter[str] = Counter()
        self.endpoints: Counter[str] = Counter()
        self.on_call: Callable[[str, str], None] = lambda method, path: None

    def take(self, method: str, path: str) -> Fault | None:
        """What befalls this request."""
        self.seen += self.rate > 0
        self.on_call(method, path)
        if (ordered := super().take(method, path)) is not None or self._rng.random() >= self.rate:
            return ordered
        kinds = self._ways + (self._lists if (method, path) == LIST else ())
        word, way = self._rng.choice(kinds)
        when: When = "before" if way.get("status") == 429 or "skip" in way else self._rng.choice(("before", "after"))
        told = "" if method == "GET" or word in ("half a body", "an answer of 30 s") else f", {when} the work"
        self.failed[word + told] += 1
        self.endpoints[f"{method} {PARTS.sub('*', path)}"] += 1
        return Fault.model_validate({**way, "match": f"{method} {path}", "when": when, "times": None})

    def pass_over(self) -> None:
        """The sky is clear."""
        self.rate = 0.0
        self.clear()
