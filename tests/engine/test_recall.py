"""A memory that does not grow with what is gone."""

from __future__ import annotations

from netgw.engine.recall import LEAST, Recall


def test_what_is_gone_makes_room() -> None:
    alive: set[int] = set()
    recall: Recall[int, str] = Recall(alive.__contains__)
    for number in range(1000):
        alive.add(number)
        recall.keep(number, f"of {number}")
        alive.discard(number - 3)
        assert len(recall) <= LEAST
        assert all(recall.get(living) == f"of {living}" for living in alive)


def test_the_living_all_stay() -> None:
    recall: Recall[int, int] = Recall(lambda number: True)
    for number in range(1000):
        recall.keep(number, number)
    assert [recall.get(number) for number in range(1000)] == list(range(1000))


def test_the_last_value_and_none() -> None:
    recall: Recall[str, int] = Recall(lambda key: True)
    recall.keep("a", 1)
    recall.keep("a", 2)
    assert recall.get("a") == 2
    recall.forget("a")
    recall.forget("never there")
    assert recall.get("a") is None
    assert len(recall) == 0
