"""Text of others, made fit to be shown: one line, of bounded length, without what steers a terminal. Pure.

A cloud can put anything into its names, states and reasons, and nothing of that may fill a status or forge a log line.
"""

from __future__ import annotations

from collections.abc import Mapping

from netgw.engine.objects import Json

SHOWN_MOST = 256
ITEMS_MOST = 100


def one_line(text: str, most: int) -> str:
    """At most so many characters; each that is not printable, be it half a character, becomes a space."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def shown(value: Json) -> Json:
    """What was observed, for a status: every text in it is short, and so is every list."""
    if isinstance(value, str):
        return one_line(value, SHOWN_MOST)
    if isinstance(value, Mapping):
        return {name: shown(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [shown(part) for part in value[:ITEMS_MOST]]
    return value
