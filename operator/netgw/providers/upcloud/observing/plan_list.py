"""UpCloud's plans, which drift from year to year: read when one appears that is not known, at most once an hour."""

from __future__ import annotations

from collections.abc import Iterable

from netgw.engine.ports import Clock
from netgw.providers.upcloud.api import Plan, UpCloud

AGAIN = 3600.0


class PlanList:
    """The plans of one account, by name. What a spec names and what a gateway has are each asked for once an hour."""

    def __init__(self, clock: Clock) -> None:
        self.known: dict[str, Plan] = {}
        self._clock = clock
        self._named_due = self._seen_due = clock.now()

    def lacks(self, name: str) -> bool:
        """Whether this plan of a spec is not known, and may be asked for."""
        return name not in self.known and self._clock.now() >= self._named_due

    async def find(self, client: UpCloud) -> None:
        """Read anew for a plan that is lacking. Raises UpCloudError."""
        await self._read(client)
        self._named_due = self._clock.now() + AGAIN

    async def know(self, client: UpCloud, seen: Iterable[str | None]) -> None:
        """Read anew when one of those that were seen is not known. Raises UpCloudError."""
        lacking = not self.known or any(name not in self.known for name in seen if name)
        if lacking and self._clock.now() >= self._seen_due:
            await self._read(client)
            self._seen_due = self._clock.now() + AGAIN

    async def _read(self, client: UpCloud) -> None:
        self.known = {plan.name: plan for plan in (await client.list_plans()).value}
