"""What is remembered of what was read and written does not grow with what is gone."""

from __future__ import annotations

from dataclasses import dataclass

from netgw.providers.upcloud.observing.cache import GONE_MOST, UNDER_WAY, Cache, Moved


@dataclass(frozen=True)
class Entry:
    """Something read."""

    uuid: str
    began: float

    def uuids(self) -> set[str]:
        return {self.uuid}


class Plain(Cache[Entry]):
    """A change concerns nobody else."""

    def _changed(self, old: Entry, new: Entry) -> Moved:
        return Moved(frozenset({old.uuid, new.uuid}))


def test_the_latest_that_are_gone() -> None:
    cache = Plain()
    for number in range(GONE_MOST + 5):
        cache.gone(f"u-{number}")
    assert [cache.is_gone(f"u-{number}") for number in (0, 4, 5, GONE_MOST + 4)] == [False, False, True, True]
    cache.take(Entry("u-7", 1.0))
    assert not cache.is_gone("u-7")


def test_a_write_counts_while_an_answer_from_before_may_come() -> None:
    """And of what is there for as long as it is."""
    cache = Plain()
    cache.take(Entry("here", 1.0))
    for uuid in ("here", "deleted"):
        cache.wrote(uuid, 2.0)
    cache.wrote("other", 2.0 + UNDER_WAY / 2)
    assert cache.last_write("deleted") == 2.0
    cache.wrote("other", 3.0 + UNDER_WAY)
    assert cache.last_write("deleted") == 0.0
    assert cache.last_write("here") == 2.0
    assert cache.since("here", cache.last_write("here")) is None
