"""The smallest world, deleted: every history with one fault, and in the soak every one with two."""

from __future__ import annotations

from support.figures import Figures
from support.small_world.every import play_every
from support.small_world.stories import DELETE


def test_delete(figures: Figures) -> None:
    """Nothing is left, and nothing else is touched, whatever goes wrong with any one call, or any two."""
    figures.put("small world", DELETE.name, play_every(DELETE))
