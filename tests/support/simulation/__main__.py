"""Plays the histories of many seeds over processes, and shows the shortest one that fails, should any."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.simulation.play import Outcome, play, replay
from support.simulation.shrinking import shrunk
from support.simulation.steps import written

SHOW_EVERY = 10.0


def main() -> int:
    """0: all hold. 1: one does not. 130: interrupted."""
    parser = argparse.ArgumentParser(prog="python -m support.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", help="of one seed, these alone: 0,3,4")
    parser.add_argument("--keep-going", action="store_true", help="after a seed that fails, only name it")
    args = parser.parse_args()
    if args.steps is not None:
        return _one(args.first_seed, [int(place) for place in args.steps.split(",") if place])
    try:
        return _many(range(args.first_seed, args.first_seed + args.seeds), args.jobs, keep_going=args.keep_going)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130


def _one(seed: int, places: list[int]) -> int:
    steps = written(seed)[1]
    outcome = replay([steps[place] for place in places], seed)
    _say("\n".join(outcome.log))
    _say(outcome.failure or "holds")
    return 0 if outcome.failure is None else 1


def _many(seeds: range, jobs: int, *, keep_going: bool) -> int:
    begun = shown = time.monotonic()
    played = calls = kills = steps = failed = 0
    seconds = 0.0
    with _outcomes(seeds, jobs) as outcomes:
        for outcome in outcomes:
            played += 1
            calls, kills, steps = calls + outcome.calls, kills + outcome.kills, steps + len(outcome.steps)
            seconds += outcome.seconds
            if outcome.failure is not None:
                failed += 1
                _say(f"seed {outcome.seed} fails: {outcome.failure.splitlines()[0][:300]}")
                if not keep_going:
                    break
            now = time.monotonic()
            if now - shown >= SHOW_EVERY or played == len(seeds):
                shown = now
                _say(f"{played} of {len(seeds)} seeds, {played / (now - begun):.1f} a second")
    _say(
        f"{played} histories of {steps} steps: {calls} calls, {kills} kills, {seconds / 86400:.1f} days of virtual time"
    )
    if failed and not keep_going:
        show_shortest(outcome)
    return 1 if failed else 0


def show_shortest(failed: Outcome) -> None:
    """What is left of it, how it went, and how to see it again."""
    best, kept = shrunk(failed)
    _say(f"\nThe shortest history of seed {failed.seed} that fails has {len(kept)} of {len(failed.steps)} steps:")
    _say("\n".join(f"  {step}" for step in best.steps))
    _say("\n" + "\n".join(best.log) + f"\n\n{best.failure}\n")
    places = ",".join(map(str, kept))
    _say(f"Again: make simulate FIRST_SEED={failed.seed} STEPS={places}")


@contextmanager
def _outcomes(seeds: range, jobs: int) -> Iterator[Iterator[Outcome]]:
    """As they come, from fresh processes that leave interrupts to us."""
    if jobs == 1:
        yield map(play, seeds)
        return
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(jobs, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield pool.imap_unordered(play, seeds, chunksize=4)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
