"""Scenarios: fixtures that open one, and the checker after each of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from support.checker import check
from support.cluster import Cluster
from support.scenario import Scenario
from support.stage import Stage

PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(cluster, tmp_path_factory.mktemp("e2e"))
    yield opened
    opened.close()


@pytest.fixture
def scenario(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Scenario]:
    """For one test; checked when that has passed."""
    with stage.scenario() as opened:
        yield opened
        if request.node.stash.get(PASSED, False):
            check(opened)


@pytest.fixture
def everywhere(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Scenario]:
    """Likewise, with an operator that watches all namespaces, as it does by default."""
    with stage.scenario(everywhere=True) as opened:
        yield opened
        if request.node.stash.get(PASSED, False):
            check(opened)


@pytest.fixture(scope="module")
def standing(stage: Stage) -> Iterator[Scenario]:
    """For the tests of one module that share what was made; each asks for `shared`."""
    with stage.scenario() as opened:
        yield opened


@pytest.fixture
def shared(request: pytest.FixtureRequest, standing: Scenario) -> Iterator[Scenario]:
    """The scenario of the module, checked after each of its tests."""
    yield standing
    if request.node.stash.get(PASSED, False):
        check(standing)
