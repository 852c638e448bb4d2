"""What the newcomer sees: steps with a spinner on a terminal and one plain line each elsewhere, commands, tables."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

PAUSE = 0.2
"""Seconds between two looks."""

WIDTH = 80
Rows = Sequence[tuple[str, str]]
"""What, and how it is."""


class Missed(Exception):
    """A step was not observed: what was expected, what is seen instead, and what may explain it (title, text)."""

    def __init__(self, expected: str, seen: Rows) -> None:
        super().__init__(expected)
        self.expected = expected
        self.seen = seen
        self.evidence: Rows = ()


@dataclass(frozen=True)
class Look:
    """Whether it is what was waited for, and what there is now."""

    done: bool
    seen: Rows


class Step:
    """One step with a deadline of its own, `seconds` from its start."""

    def __init__(self, title: str, seconds: float) -> None:
        self.title = title
        self._seconds = seconds
        self._started = time.monotonic()
        self._seen: Rows = ()
        self._spinner = Spinner("dots", style="cyan")

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    def until(self, expected: str, look: Callable[[], Look]) -> None:
        """Look again and again. Raises Missed when the deadline passes."""
        while not self._take(look()):
            if self.elapsed >= self._seconds:
                raise Missed(f"{expected}, within {self._seconds:g} s", self._seen)
            time.sleep(PAUSE)

    def check(self, expected: str, look: Look) -> None:
        """Time would not mend this. Raises Missed."""
        if not self._take(look):
            raise Missed(expected, look.seen)

    def _take(self, look: Look) -> bool:
        self._seen = look.seen
        return look.done

    def line(self, mark: Text) -> Text:
        """Mark, title and seconds."""
        return Text.assemble("  ", mark, f" {self.title:<{WIDTH - 14}}", (f"{self.elapsed:6.1f} s", "dim"))

    def __rich__(self) -> Group:
        """The line as it moves, and below it what is seen; one line each, however narrow the terminal is."""
        spin = self._spinner.render(time.monotonic())
        lines = [self.line(spin if isinstance(spin, Text) else Text("…"))]
        wide = max((len(what) for what, _ in self._seen), default=0)
        lines += [Text(f"      {what:<{wide}}  {how}", style="dim") for what, how in self._seen]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)


class Screen:
    """Writes to one console; nothing moves unless that is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextlib.contextmanager
    def step(self, title: str, seconds: float) -> Iterator[Step]:
        """Spins while inside, then leaves one line: a tick, or a cross when something was raised."""
        step = Step(title, seconds)
        moving = self._console.is_terminal and not self._console.is_dumb_terminal
        live = Live(step, console=self._console, transient=True, refresh_per_second=12)
        try:
            with live if moving else contextlib.nullcontext():
                yield step
        except BaseException:
            self._print(step.line(Text("✗", "bold red")))
            raise
        self._print(step.line(Text("✓", "bold green")))

    def heading(self, text: str) -> None:
        """Begins a chapter."""
        self._print()
        self._print(Text(text, "bold"))

    def command(self, text: str) -> None:
        """What is typed into a shell."""
        self._print()
        self._print(Text.assemble("  ", ("$ ", "dim"), (text, "cyan")))

    def output(self, text: str) -> None:
        """What a program printed, line by line and unbroken: its tables would not survive a wrap."""
        for line in text.rstrip().splitlines():
            self._print(Text(f"  {line.rstrip()}"))

    def rows(self, rows: Rows) -> None:
        """Two columns, the second one wrapped."""
        wide = max((len(what) for what, _ in rows), default=0)
        room = max(min(self._console.width, WIDTH + 16) - wide - 6, 30)
        for what, how in rows:
            for what_now, line in zip_longest([what], wrap(how, room) or [""], fillvalue=""):
                self._print(Text.assemble("    ", (f"{what_now:<{wide}}", "dim"), f"  {line}"))

    def say(self, *lines: str) -> None:
        """Plain text; an empty line when there is none."""
        for line in lines or ("",):
            self._print(Text(line))

    def missed(self, missed: Missed) -> None:
        """Why the demo ends here."""
        self._print()
        self._print(Text(f"Expected: {missed.expected}.", "bold red"))
        self._print(Text("Seen now:", "bold"))
        self.rows(missed.seen or [("nothing", "")])
        for title, text in missed.evidence:
            self._print(Text(f"{title}:", "bold"))
            self.output(text)

    def _print(self, text: Text | None = None) -> None:
        self._console.print(text if text is not None else "", soft_wrap=True)
