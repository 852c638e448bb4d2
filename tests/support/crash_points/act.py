"""An act of a story: what is done to a world at rest, and when it is at rest again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from support.crash_points.forked import Doomed
from support.scenario import Scenario


@dataclass
class Stand:
    """A world and what its stories remember of it."""

    scenario: Scenario
    operator: Doomed
    key: str = ""
    """That of the Secret, which every tunnel has to have."""
    hashes: dict[str, str] = field(default_factory=dict)
    """Of keys that nobody may touch, by the tunnel's uuid."""


@dataclass(frozen=True)
class Act:
    """`do` asks for something and waits for nothing; `done` says whether all of it has come to pass.

    `at_birth`: a new operator begins it, so that its points are those of a start. `counts`: its points are played.
    """

    name: str
    do: Callable[[Stand], None]
    done: Callable[[Stand], bool]
    at_birth: bool = False
    counts: bool = True
    pairs: bool = False
    """Whether a second death, soon after the first, is played too."""
    share: tuple[int, int] = (0, 1)
    """Which part of how many: an act of several stories is divided among them."""


@dataclass(frozen=True)
class Story:
    """One world: what is there before, and rounds of acts, each of which ends where the round began."""

    name: str
    rounds: tuple[tuple[Act, ...], ...]
    before: Act | None = None


def one_by_one(acts: Iterable[Act]) -> tuple[tuple[Act, ...], ...]:
    """A round for each, for acts that leave the world as they found it."""
    return tuple((act,) for act in acts)
