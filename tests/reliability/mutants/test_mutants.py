"""Defects planted on purpose are noticed, and an operator without them passes the same.

`make test` plays one seed that is known to notice; `make soak` looks for the first one of all, from seed 1.
"""

from __future__ import annotations

import pytest

from support.effort import SOAKING
from support.figures import Figures
from support.mutants import stories
from support.mutants.catalogue import MUTANTS, Mutant
from support.mutants.hunt import hunt, simulation
from support.mutants.planting import NotPlanted, planted

NAMED = {mutant.name: mutant for mutant in MUTANTS}
TOLD = {
    "pause-ignored": "paused",
    "report-ignored": "reported",
    "all-at-once": "one_by_one",
    "post-again": "sent_once",
}
"""What a short story notices: random days meet it seldom, or see no harm in it."""
NOTICED: dict[str, int] = {
    "no-record": 1,
    "key-by-name": 3,
    "event-lost": 1,
    "key-logged": 1,
}
"""A seed that notices, for `make test`."""
MOST = 400


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
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


@pytest.mark.parametrize(("name", "story"), TOLD.items(), ids=TOLD)
def test_a_short_story_notices(name: str, story: str, figures: Figures) -> None:
    """Without the defect it goes well, with it it does not."""
    stories.tell(story)
    with NAMED[name].planted(), pytest.raises(AssertionError) as noticed:
        stories.tell(story)
    figures.put("mutants", name, f"killed by the story {story}: {str(noticed.value).splitlines()[0][:100]}")


@pytest.mark.skipif(SOAKING, reason="the soak looks for the first seed of all")
@pytest.mark.parametrize(("name", "seed"), NOTICED.items(), ids=NOTICED)
def test_a_known_seed_notices(name: str, seed: int, figures: Figures) -> None:
    """And holds without the defect."""
    play = simulation()
    kill = hunt(NAMED[name], [seed], play)
    assert kill is not None, f"{name} survives seed {seed}"
    assert play(seed).failure is None
    figures.put("mutants", name, f"killed by seed {seed}: {kill.why}")


@pytest.mark.skipif(not SOAKING, reason="a known seed is played")
@pytest.mark.parametrize("name", [name for name in NAMED if name not in TOLD])
def test_some_seed_notices(name: str, figures: Figures) -> None:
    """From seed 1 on."""
    play = simulation()
    kill = hunt(NAMED[name], range(1, MOST + 1), play)
    assert kill is not None, f"{name} survives {MOST} seeds"
    figures.put("mutants", name, kill)
