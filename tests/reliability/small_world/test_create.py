"""The smallest world, created: every history with one fault, and with two as many as there is time for."""

from __future__ import annotations

from support.figures import Figures
from support.small_world.every import play_every
from support.small_world.stories import CREATE


def test_create(figures: Figures) -> None:
    """One of each, whatever goes wrong with any one call, or any two."""
    figures.put("smallest world", CREATE.name, play_every(CREATE))
