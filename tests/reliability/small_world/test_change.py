"""The smallest world, changed and its key rotated: every history with one fault, in the soak every one with two."""

from __future__ import annotations

import pytest

from support.figures import Figures
from support.small_world.every import play_every
from support.small_world.stories import CHANGES, Story


@pytest.mark.parametrize("story", CHANGES, ids=lambda story: str(story.name))
def test_change(story: Story, figures: Figures) -> None:
    """The value changes once, in place, whatever goes wrong with any one call, or any two."""
    figures.put("small world", story.name, play_every(story))
