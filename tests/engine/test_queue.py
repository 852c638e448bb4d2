"""The queue under virtual time: whatever is added whenever, whoever works however long."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netgw.engine.ports import Unanswered
from netgw.engine.queue import BACKOFF_MOST, Queue
from support.virtual_time import VirtualLoop, run


@dataclass
class Work:
    """Work that takes a while; says who is at it, when it began, and fails or asks for more when told."""

    seconds: Callable[[str], float] = lambda key: 1.0
    answer: Callable[[str], float | None] = lambda key: None
    running: list[str] = field(default_factory=list)
    begun: list[tuple[float, str]] = field(default_factory=list)
    ended: list[tuple[float, str]] = field(default_factory=list)
    most: int = 0

    async def __call__(self, key: str) -> float | None:
        now = asyncio.get_running_loop().time
        assert key not in self.running, "two at one key"
        self.running.append(key)
        self.most = max(self.most, len(self.running))
        self.begun.append((now(), key))
        try:
            await asyncio.sleep(self.seconds(key))
            return self.answer(key)
        finally:
            self.running.remove(key)
            self.ended.append((now(), key))


def play(story: Callable[[Queue[str]], Any], work: Work, *, workers: int = 2) -> None:
    async def whole() -> None:
        queue: Queue[str] = Queue(work, workers=workers, rng=random.Random(0))
        queue.start()
        try:
            await story(queue)
        finally:
            await queue.drain(1e9)
            assert queue.idle

    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        run(whole(), loop)
    finally:
        asyncio.set_event_loop(None)


def test_added_often_worked_on_once() -> None:
    async def story(queue: Queue[str]) -> None:
        for _ in range(5):
            queue.add("a")
        assert len(queue) == 1
        await asyncio.sleep(10)

    work = Work()
    play(story, work)
    assert work.begun == [(0.0, "a")]


def test_added_while_worked_on_worked_on_once_more() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)
        for _ in range(5):
            queue.add("a")
        await asyncio.sleep(10)

    work = Work()
    play(story, work)
    assert work.begun == [(0.0, "a"), (1.0, "a")]


def test_no_more_at_once_than_there_are_workers() -> None:
    async def story(queue: Queue[str]) -> None:
        for key in "abcdefg":
            queue.add(key)
        await asyncio.sleep(20)

    work = Work()
    play(story, work, workers=3)
    assert work.most == 3
    assert [key for _, key in work.begun] == list("abcdefg")
    assert work.ended[-1][0] == 3.0


def test_the_earlier_of_two_times_counts() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add_after("a", 50)
        queue.add_after("a", 20)
        queue.add_after("a", 70)
        await asyncio.sleep(100)

    work = Work()
    play(story, work)
    assert work.begun == [(20.0, "a")]


def test_now_is_earlier_than_any_time() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add_after("a", 50)
        queue.add("a")
        queue.add_after("a", 0.1)  # it is due already
        await asyncio.sleep(100)

    work = Work()
    play(story, work)
    assert work.begun == [(0.0, "a")]


def test_work_says_when_it_is_due_again() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(100)

    answers = iter([30.0, 0.0, None])
    work = Work(answer=lambda key: next(answers))
    play(story, work)
    assert [at for at, _ in work.begun] == [0.0, 31.0, 32.0]


def test_a_time_set_while_worked_on_is_kept() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)
        queue.add_after("a", 5)
        await asyncio.sleep(100)

    answers = iter([30.0, None, None])
    work = Work(answer=lambda key: next(answers))
    play(story, work)
    assert [at for at, _ in work.begun] == [0.0, 5.5]


def test_a_time_that_comes_while_worked_on_is_not_lost() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)
        queue.add_after("a", 0.2)
        await asyncio.sleep(100)

    work = Work()
    play(story, work)
    assert [at for at, _ in work.begun] == [0.0, 1.0]


def test_forgotten_is_not_due_any_more() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add_after("a", 5)
        queue.forget("a")
        await asyncio.sleep(100)

    work = Work()
    play(story, work)
    assert work.begun == []


def test_failing_for_a_day_ends_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")

    def fail(key: str) -> float | None:
        raise ValueError(key)

    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(24 * 3600)
        assert queue.alive()

    work = Work(seconds=lambda key: 0.0, answer=fail)
    play(story, work)
    pauses = [later - at for (at, _), (later, _) in zip(work.begun, work.begun[1:], strict=False)]
    assert len(pauses) > 1100  # a float holds no power of two beyond
    assert all(0.75 * 2**number <= pause <= 1.25 * 2**number for number, pause in enumerate(pauses[:6]))
    assert all(0.75 * BACKOFF_MOST <= pause <= 1.25 * BACKOFF_MOST for pause in pauses[6:])


def test_success_forgets_failures(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    answers = iter([None, None, 0.0, None, None])

    def answer(key: str) -> float | None:
        if (found := next(answers)) is None:
            raise ValueError(key)
        return found

    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(7)

    work = Work(seconds=lambda key: 0.0, answer=answer)
    play(story, work)
    times = [at for at, _ in work.begun]
    assert times[4] - times[3] <= 1.25


def test_drain_finishes_what_runs_and_starts_nothing() -> None:
    async def story(queue: Queue[str]) -> None:
        for key in "abcd":
            queue.add(key)
        queue.add_after("e", 0.2)
        await asyncio.sleep(0.5)
        queue.add("a")
        assert await queue.drain(10.0)
        queue.add("f")
        queue.add_after("g", 0.1)
        await asyncio.sleep(100)

    work = Work(answer=lambda key: 0.0)
    play(story, work)
    assert {key for _, key in work.ended} == {"a", "b"}
    assert len(work.ended) == 2


def test_drain_waits_no_longer_than_told() -> None:
    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)
        assert not await queue.drain(3.0)
        assert asyncio.get_running_loop().time() == 3.5
        assert not queue.alive()

    work = Work(seconds=lambda key: 60.0)
    play(story, work)
    assert work.running == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "after", "forget", "sleep", "sleep"]),
        st.sampled_from("abcd"),
        st.floats(0, 3, width=16),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(1, 3), st.integers(0, 1000))
def test_no_wake_up_is_lost(steps: list[tuple[str, str, float]], workers: int, seed: int) -> None:
    """After each add the key is worked on from its beginning; after each time that was set, when that time has come."""
    rng = random.Random(seed)
    wanted: list[tuple[float, float, str]] = []  # not before, due, key

    async def story(queue: Queue[str]) -> None:
        loop = asyncio.get_running_loop()
        for step, key, number in steps:
            match step:
                case "add":
                    queue.add(key)
                    wanted.append((loop.time(), loop.time(), key))
                case "after":
                    queue.add_after(key, number)
                    wanted.append((loop.time(), loop.time() + number, key))
                case "forget":
                    queue.forget(key)
                    wanted[:] = [(at, due, other) for at, due, other in wanted if other != key or due < loop.time()]
                case _:
                    await asyncio.sleep(number)
            assert len(queue) <= 4
        await asyncio.sleep(1000)
        assert queue.idle

    work = Work(seconds=lambda key: rng.choice([0.0, 0.0, 0.3, 2.0]))
    play(story, work, workers=workers)
    assert work.most <= workers
    for at, due, key in wanted:
        # It waits for a worker at most as long as every other key, and itself, takes.
        assert any(key == other and at <= begun <= due + 10.0 for begun, other in work.begun)


def test_depth_and_age() -> None:
    """One worker, ten seconds each: the second waits for the first."""

    async def story(queue: Queue[str]) -> None:
        assert (queue.oldest, queue.longest) == (0.0, 0.0)
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(4)
        assert (queue.active, queue.waiting) == (1, 1)
        assert (queue.oldest, queue.longest) == (4.0, 4.0)
        await asyncio.sleep(8)
        assert (queue.active, queue.waiting) == (1, 0)
        assert (queue.oldest, queue.longest) == (0.0, 2.0)

    play(story, Work(seconds=lambda _: 10.0), workers=1)


@pytest.mark.parametrize(("error", "traces"), [(Unanswered("no answer in time"), 0), (ValueError("made up"), 1)])
def test_a_traceback_is_for_what_nobody_expected(
    error: Exception, traces: int, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(_: str) -> None:
        raise error

    async def story(queue: Queue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)

    play(story, Work(answer=answer))
    [record] = [record for record in caplog.records if record.message.startswith("pass failed")]
    assert bool(record.exc_info) == bool(traces)
    assert traces or record.message.endswith("Unanswered: no answer in time")
