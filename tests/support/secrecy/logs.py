"""At the end of a whole run: no log of any process that it started shows a secret that was made up for it."""

from __future__ import annotations

import re
from pathlib import Path

MADE_UP = re.compile(r"madeup_(?:psk|token|password)_[ghjkmnpqrstvwxyz]{8,}")
"""As `support.operator.made_up` makes them; constants of single tests are not meant."""


def secrets_in_logs(folder: Path) -> list[str]:
    """Each log below the folder that shows some: which it is, and the line without its secrets."""
    return [
        f"{path}:{number}: {MADE_UP.sub('(a secret)', line)[:200]}"
        for path in sorted(folder.rglob("*.log"))
        if path.is_file()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if MADE_UP.search(line)
    ]
