"""Defects planted on purpose are noticed, by what the catalogue says, and an operator without them passes the same.

Where that is the simulation, `make test` plays the seed that is known to notice; `make soak` looks for it from seed 1.
"""

from __future__ import annotations

import pytest

from support.effort import effort
from support.figures import Figures
from support.mutants import stories
from support.mutants.catalogue import MUTANTS, Mutant
from support.mutants.hunt import hunt, simulation
from support.mutants.planting import NotPlanted, planted

TOLD = [mutant for mutant in MUTANTS if mutant.story]
PLAYED = [mutant for mutant in MUTANTS if mutant.seed]
OPEN = [mutant for mutant in MUTANTS if not mutant.story and not mutant.seed]


def _name(mutant: Mutant) -> str:
    return mutant.name


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_it_can_be_planted(mutant: Mutant) -> None:
    """And is gone afterwards, however it ended."""
    with mutant.planted():
        pass
    with mutant.planted():  # the text is the sound one again
        pass


def test_what_is_not_there_cannot_be_planted() -> None:
    """A mutant whose text or function went must be written anew, and does not pass for noticed."""
    with pytest.raises(NotPlanted), planted("netgw.engine.create:_post", {"no such text": ""}):
        pass
    with pytest.raises(NotPlanted), planted("netgw.engine.create:_no_such_function", {}):
        pass


@pytest.mark.parametrize("story", stories.STORIES)
def test_a_short_story_goes_well(story: str) -> None:
    """Without any defect."""
    stories.tell(story)


@pytest.mark.parametrize("mutant", TOLD, ids=_name)
def test_a_short_story_notices(mutant: Mutant, figures: Figures) -> None:
    """The defect makes a difference to it."""
    with mutant.planted(), pytest.raises(AssertionError) as noticed:
        stories.tell(mutant.story)
    said = " ".join(str(noticed.value).split())[:80]
    figures.put("mutants", mutant.name, f"{mutant.what}: noticed by the story {mutant.story}: {said}")


@pytest.mark.parametrize("mutant", PLAYED, ids=_name)
def test_the_simulation_notices(mutant: Mutant, figures: Figures) -> None:
    """With the seed that is known to, at the latest; which holds without the defect."""
    play = simulation()
    kill = hunt(mutant, range(effort(test=mutant.seed, soak=1), mutant.seed + 1), play)
    assert kill is not None, f"{mutant.name} survives seed {mutant.seed}"
    assert play(kill.seed).failure is None
    figures.put("mutants", mutant.name, f"{mutant.what}: noticed by the simulation, seed {kill.seed}: {kill.why}")


def test_all_are_noticed(figures: Figures) -> None:
    """One that nothing is known to notice is named, and is no proof."""
    for mutant in OPEN:
        figures.put("mutants", mutant.name, f"{mutant.what}: nothing is known to notice it")
    assert OPEN == []
    assert len(TOLD) + len(PLAYED) >= 37
