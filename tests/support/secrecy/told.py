"""A story in which every secret is known to whoever searches for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.scenario import Scenario


@dataclass
class Told:
    """A scenario, what is secret in it, and the folder that the operator takes for its home.

    `token` opens the account alice, `password` is that of the user bob.
    """

    scenario: Scenario
    token: str
    password: str
    secrets: list[str]
    home: Path
