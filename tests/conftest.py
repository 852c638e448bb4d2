"""Fixtures that every folder may use. A test that does not name `cluster` never starts one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import figures as measured
from support.cluster import Cluster, open_cluster
from support.figures import Figures
from support.secrecy.logs import secrets_in_logs

SHOWN = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The operator of the scenarios lives to the end of the run and manages whatever it finds: others come before."""
    items.sort(key=lambda item: "tests/e2e/" in item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run fails when a log of any process of it shows a secret. Workers leave that to whoever started them."""
    if not hasattr(session.config, "workerinput") and (told := _secrets_in_logs(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.stash[SHOWN] = told


def _secrets_in_logs(config: pytest.Config) -> list[str]:
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
    return secrets_in_logs(factory.getbasetemp())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Secrets that logs show, every figure, and a file of them where one is asked for."""
    for line in terminalreporter.config.stash.get(SHOWN, []):
        terminalreporter.write_line(f"SECRET IN A LOG {line}", red=True)
    reports = [found for kind in terminalreporter.stats.values() for found in kind]
    found = measured.of(report for report in reports if isinstance(report, pytest.TestReport))
    if found:
        terminalreporter.section("figures")
        for figure in found:
            terminalreporter.write_line(str(figure))
    if path := os.environ.get("NETGW_FIGURES"):
        measured.write(found, Path(path))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Where a test puts what it measured."""
    return Figures(request.node)


@pytest.fixture
def tell(request: pytest.FixtureRequest, figures: Figures) -> Callable[[str], None]:
    """Show a sentence at the end of the run."""
    return lambda text: figures.put(request.node.path.parent.name, "", text)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real API server with our CRDs, as admin; one per process of the run."""
    with open_cluster() as opened:
        yield opened
