"""Labels that others made: kept with Merge, removed with Replace, and with Report only told."""

from __future__ import annotations

import asyncio

from netgw.engine.ownership import MARK
from support.days import Day
from support.legacy import drift, labelled, of_users, one, play, respec, writes


def test_those_of_others_are_kept() -> None:
    """Also one that had our key before us, as long as the spec says the same."""

    async def story(d: Day) -> None:
        await labelled(d, labels={"env": "prod"})
        await d.ask("POST", f"/gateway/{d.uuid('edge')}/labels", {"key": "team", "value": "net"})
        await asyncio.sleep(120)
        assert writes(d) == []
        assert drift(d, "edge") == {}
        assert d.object("edge").status["ownLabelKeys"] == ["env"]
        respec(d, "edge", labels={})
        await d.until(lambda: of_users(d) == {"team": "net"}, 30)

    play(story)


def test_those_of_others_are_removed() -> None:
    async def story(d: Day) -> None:
        await labelled(d, labels={"env": "prod"})
        for key in ("team", "other"):
            await d.ask("POST", f"/gateway/{d.uuid('edge')}/labels", {"key": key, "value": "net"})
        respec(d, "edge", labelPolicy="Replace")
        await d.until(lambda: of_users(d) == {"env": "prod"}, 30)
        await d.settle()
        assert len(writes(d)) == 2
        await d.ask("POST", f"/gateway/{d.uuid('edge')}/labels", {"key": "late", "value": ""})
        await d.until(lambda: of_users(d) == {"env": "prod"}, 120)
        assert one(d).labels["_cloud"] == "its own"
        assert MARK in one(d).labels
        respec(d, "edge", driftPolicy="Report")
        await asyncio.sleep(30)
        await d.ask("POST", f"/gateway/{d.uuid('edge')}/labels", {"key": "later", "value": ""})
        await d.becomes("edge", "Drifted")
        assert drift(d, "edge") == {"labels[later]": ("unset", "")}
        respec(d, "edge", driftPolicy=None)
        await d.until(lambda: of_users(d) == {"env": "prod"}, 120)
        await d.settle()
        assert len(writes(d)) == 4

    play(story)


def test_more_of_others_than_status_can_tell() -> None:
    """Report: none of them is removed, neither after a restart nor with what the spec newly says."""
    theirs = {f"key-{number:02}": "x" for number in range(25)}

    async def story(d: Day) -> None:
        await labelled(d, labelPolicy="Replace", driftPolicy="Report")
        one(d).labels.update(theirs)
        await d.becomes("edge", "Drifted")
        assert len(drift(d, "edge")) == 20
        await d.restart()
        await asyncio.sleep(120)
        assert writes(d) == []
        respec(d, "edge", plan="advanced")
        await d.until(lambda: one(d).plan == "advanced", 30)
        await asyncio.sleep(120)
        await d.restart()
        await asyncio.sleep(120)
        assert len(writes(d)) == 1
        assert of_users(d) == theirs
        respec(d, "edge", driftPolicy=None)
        await d.until(lambda: of_users(d) == {}, 120)

    play(story)
