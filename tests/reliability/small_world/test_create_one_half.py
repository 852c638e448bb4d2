"""The smallest world, created: every history with one fault, in the soak every one with two; one half of them."""

from __future__ import annotations

from support.figures import Figures
from support.small_world.every import play_every
from support.small_world.stories import CREATE


def test_create(figures: Figures) -> None:
    """One of each, whatever goes wrong with any one call, or any two."""
    figures.put("small world", f"{CREATE.name}, one half", play_every(CREATE, slice(0, None, 2)))
