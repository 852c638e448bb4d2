"""Labels of a gateway: through their own endpoints, those of others kept or removed, our mark untouchable."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from netgw.engine.ownership import MARK
from support.days import Day
from support.history import GATEWAY
from support.legacy import labelled, of_users, one, play, respec, writes

ODD = {"a b": "1", "team/x": "ä/ö?#&=%25", "x]": "[y]", "%2F": "", 'it\'s "q"': "\\", "k+k": "+"}


def test_set_changed_and_dropped_one_call_each() -> None:
    """Never a PATCH of the gateway, which would send it through pending."""

    async def story(d: Day) -> None:
        await labelled(d, labels={"env": "prod", "tier": "one"})
        assert of_users(d) == {"env": "prod", "tier": "one"}
        assert d.object("edge").status["ownLabelKeys"] == ["env", "tier"]
        respec(d, "edge", labels={"env": "test", "cost": "7"})
        await d.until(lambda: len(writes(d)) == 3, 30)
        await d.settle()
        path = f"/1.3/gateway/{d.uuid('edge')}/labels"
        assert sorted(writes(d)) == [f"DELETE {path}/tier", f"PATCH {path}/env", f"POST {path}"]
        assert of_users(d) == {"env": "test", "cost": "7"}
        assert d.object("edge").status["ownLabelKeys"] == ["cost", "env"]
        respec(d, "edge", labels=None)
        await d.until(lambda: of_users(d) == {}, 30)
        await d.settle()
        assert "ownLabelKeys" not in d.object("edge").status
        await asyncio.sleep(60)
        assert len(writes(d)) == 5
        assert one(d).labels["_cloud"] == "its own"
        assert d.verdict("edge", "Ready") == ("True", "Running")

    play(story)


def test_dropped_while_nobody_looks() -> None:
    async def story(d: Day) -> None:
        await labelled(d, labels={"env": "prod"})
        await d.kill()
        respec(d, "edge", labels=None)
        await d.start()
        await d.until(lambda: of_users(d) == {}, 30)
        await d.settle()
        assert len(writes(d)) == 1

    play(story)


def test_odd_keys_and_values() -> None:
    async def story(d: Day) -> None:
        await labelled(d, labels=ODD)
        assert of_users(d) == ODD
        respec(d, "edge", labels={key: value + "2" for key, value in ODD.items()})
        await d.until(lambda: len(writes(d)) == len(ODD), 60)
        await d.settle()
        assert of_users(d) == {key: value + "2" for key, value in ODD.items()}
        respec(d, "edge", labels={})
        await d.until(lambda: of_users(d) == {}, 60)
        await d.settle()
        assert len(writes(d)) == 2 * len(ODD)

    play(story)


def test_ours_is_what_the_spec_says_while_we_manage_it() -> None:
    """Not while it was only observed; from the first look after that on."""

    async def story(d: Day) -> None:
        await labelled(d, managementPolicy="Full")
        one(d).labels.update(team="net", env="prod")
        await asyncio.sleep(70)
        respec(d, "edge", managementPolicy="Observe", labels={"team": "net"})
        await d.becomes("edge", "ObserveOnly")
        respec(d, "edge", labels={"env": "prod"})
        await asyncio.sleep(5)
        assert "ownLabelKeys" not in d.object("edge").status
        respec(d, "edge", managementPolicy="Full")
        await d.becomes("edge", "InSync")
        assert d.object("edge").status["ownLabelKeys"] == ["env"]
        respec(d, "edge", labels=None)
        await d.until(lambda: of_users(d) == {"team": "net"}, 30)
        await d.settle()
        assert len(writes(d)) == 1

    play(story)


def test_a_key_that_no_path_can_name() -> None:
    """It can be made and not be changed: told, and in nobody's way."""

    async def story(d: Day) -> None:
        await labelled(d, labels={"..": "dots"})
        assert of_users(d) == {"..": "dots"}
        respec(d, "edge", labels={"..": "other", "env": "prod"}, plan="advanced")
        await d.becomes("edge", "Rejected")
        d.says("edge", "labels[..]", "control panel")
        await d.until(lambda: one(d).plan == "advanced" and "env" in one(d).labels, 30)
        await asyncio.sleep(60)
        assert len(writes(d)) == 2
        respec(d, "edge", labels={"..": "dots"})
        await d.until(lambda: of_users(d) == {"..": "dots"}, 30)
        await d.settle()

    play(story)


@pytest.mark.parametrize(
    "labels", [{MARK: "mine"}, {"netgw.dev/else": "x"}, {"_own": "x"}, {"env": 7}, "none", {"env": None}]
)
def test_what_admission_refuses(labels: Any) -> None:
    """Should it come through all the same: the mark is ours, and whatever else happens is said."""

    async def story(d: Day) -> None:
        await labelled(d)
        mark = one(d).labels[MARK]
        respec(d, "edge", labels=labels)
        await asyncio.sleep(900)
        assert one(d).labels[MARK] == mark
        assert one(d).labels["_cloud"] == "its own"
        assert len(writes(d)) <= 1
        assert d.verdict("edge", "Ready") == ("True", "Running")
        d.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await d.settle()

    play(story)


def test_a_label_without_value() -> None:
    """The cloud answers null: that is the empty text, and no label that is missing."""

    async def story(d: Day) -> None:
        await labelled(d, labels={"env": ""})
        gateway = await d.ask("GET", f"/gateway/{d.uuid('edge')}")
        gateway["labels"] = [{"key": label["key"], "value": label["value"] or None} for label in gateway["labels"]]
        assert {"key": "env", "value": None} in gateway["labels"]
        d.world.faults.add("GET /1.3/gateway", times=10_000, status=200, body=[gateway])
        d.world.faults.add("GET /1.3/gateway/*", times=10_000, status=200, body=gateway)
        await asyncio.sleep(300)
        assert writes(d) == []
        respec(d, "edge", labels={"env": "prod"})
        await d.until(lambda: bool(writes(d)), 10)
        assert writes(d)[0].startswith("PATCH")
        assert json.dumps(of_users(d)) == '{"env": "prod"}'

    play(story)


def test_a_label_that_somebody_removes_just_now() -> None:
    """It is as it should be: the 404 is looked into, and nothing is held up."""

    async def story(d: Day) -> None:
        await labelled(d, labels={"env": "prod", "tier": "one"})
        one(d).labels.pop("tier")
        respec(d, "edge", labels={"env": "prod", "cost": "7"})
        await d.until(lambda: of_users(d) == {"env": "prod", "cost": "7"}, 120)
        await d.settle()

    play(story)


def test_a_refused_label_holds_no_other_change() -> None:
    async def story(d: Day) -> None:
        await labelled(d)
        d.world.faults.add("POST /1.3/gateway/*/labels", status=400, times=10_000)
        respec(d, "edge", labels={"env": "prod"}, plan="advanced")
        await d.until(lambda: one(d).plan == "advanced", 60)
        await d.becomes("edge", "Rejected")
        await d.calm(calls=130, writes=6)
        assert len(d.calls("POST")) <= 3

    play(story)
