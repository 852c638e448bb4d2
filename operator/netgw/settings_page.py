"""The settings as people read them: the tables of docs/settings.md and the options of `netgw run --help`.

Both say what the descriptions of the fields say. Variables of a cloud are described here, for its client reads them; a
secret among them has no option, for every user of a machine can read the command lines of all.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pydantic.fields import FieldInfo

from netgw.settings import Settings, flag, told, variable

MARKER = "<!-- settings: generated -->\n"
SECONDS = "Seconds are numbers above 0, unless a row says otherwise; fractions are fine."


class Section(NamedTuple):
    """A heading, a sentence below it, and the fields."""

    title: str
    intro: str
    fields: tuple[str, ...]


SECTIONS = (
    Section(
        "Kubernetes",
        "",
        ("kubeconfig", "namespace", "namespaces", "cluster_name", "leader_election", "fingerprint_key_file"),
    ),
    Section(
        "Credentials",
        "Who may use the credentials of the variables above, and what becomes of those in Secrets.",
        ("default_credentials_namespaces", "credentials_finalizer"),
    ),
    Section(
        "Pace",
        SECONDS,
        (
            "poll_interval",
            "fast_poll_interval",
            "secret_interval",
            "secret_watch",
            "metrics_interval",
            "metrics_share",
            "workers",
        ),
    ),
    Section(
        "Behaviour", "", ("read_only", "default_policies", "cluster_networks", "listen", "log_format", "log_level")
    ),
)


class PageError(Exception):
    """The page has not two markers; the message is one line."""


def render() -> str:
    """Every section with its table."""
    return "\n".join(_section(section) for section in SECTIONS)


def fresh(text: str) -> str:
    """The page with its generated part as it has to be. Raises PageError."""
    parts = text.split(MARKER)
    if len(parts) != 3:
        raise PageError(f"docs/settings.md needs the line {MARKER.strip()} twice")
    return f"{parts[0]}{MARKER}\n{render()}\n{MARKER}{parts[2]}"


def refresh(page: Path) -> None:
    """Write the generated part anew. Raises PageError."""
    page.write_text(fresh(page.read_text(encoding="utf-8")), encoding="utf-8")


def is_stale(page: Path) -> bool:
    """Whether the page does not say what the model says. Raises PageError."""
    text = page.read_text(encoding="utf-8")
    return fresh(text) != text


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each setting; it gets them by the names of the fields, None where not given."""
    parameters = [
        inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for field, annotation in _options()
    ]
    told_to_typer: Any = command
    told_to_typer.__signature__ = inspect.Signature(parameters)
    told_to_typer.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _options() -> Iterator[tuple[str, Any]]:
    for section in SECTIONS:
        for field in section.fields:
            info = Settings.model_fields[field]
            words = f"{_plain(info.description or '')} [{variable(field)}; default: {_plain(_default(info))}]"
            option = typer.Option(
                flag(field), help=words, metavar="VALUE", show_default=False, rich_help_panel=section.title
            )
            yield field, Annotated[str | None, option]


def _section(section: Section) -> str:
    intro = f"{section.intro}\n\n" if section.intro else ""
    rows = "".join(_row(field) for field in section.fields)
    head = "| variable | option | default | meaning |\n|---|---|---|---|\n"
    return f"## {section.title}\n\n{intro}{head}{rows}"


def _row(field: str) -> str:
    info = Settings.model_fields[field]
    cells = (f"`{variable(field)}`", f"`{flag(field)}`", _default(info), info.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _default(info: FieldInfo) -> str:
    """As one would write it; in words where the value does not say it."""
    if (words := told(info).default) is not None:
        return words
    several = type(info.default) is tuple  # not a named one, which is a single value
    return f"`{','.join(map(str, info.default))}`" if several else f"`{str(info.default).lower()}`"


def _plain(text: str) -> str:
    """Without the marks of Markdown."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text).replace("`", "")
