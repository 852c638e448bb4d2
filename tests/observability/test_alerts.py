"""The alerts: each fires and does not, each has its page, and each is as docs/alerts.md says.

What they name is what there is: reasons and other words that the operator gives, and objects that the chart makes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from netgw.engine.policy import CHOICES
from netgw.kinds import KINDS
from support.chart import objects
from support.cluster import ROOT
from support.promtool import promtool

RULES = ROOT / "helm" / "netgw" / "rules" / "netgw.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
BASE = "https://netgw.dev/runbooks/"
PLAYS = sorted(Path(__file__).parent.glob("*.yaml"))
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
CONDITION = re.compile(r"netgw_object_condition\{([^}]*)\}")
ROW = re.compile(r"^\| \[`(\w+)`\]\(runbooks/(\w+)\.md\) \| (\w+) \| (\w+) \| (yes)? ?\|$", re.MULTILINE)

ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]
NAMES = [alert["alert"] for alert in ALERTS]


def test_the_rules_are_good() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("play", PLAYS, ids=lambda path: path.stem)
def test_alerts_fire_and_do_not(play: Path) -> None:
    done = promtool("test", "rules", play)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_played_both_ways() -> None:
    cases = [case for play in PLAYS for case in yaml.safe_load(play.read_text())["tests"]]
    asked = [(case["name"].partition(":")[0], bool(expr["exp_samples"])) for case in cases for expr in _exprs(case)]
    assert set(asked) == {(name, fires) for name in NAMES for fires in (True, False)}


def _exprs(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Each asks about the alert in the case's name."""
    name = case["name"].partition(":")[0]
    assert all(f'alertname="{name}"' in expr["expr"] for expr in case["promql_expr_test"])
    return list(case["promql_expr_test"])


@pytest.mark.parametrize("play", PLAYS, ids=lambda path: path.stem)
def test_the_plays_notice_an_alert_that_never_fires(play: Path, tmp_path: Path) -> None:
    """And one that always does."""
    for broken in ("vector(0) > 1", "vector(1)"):
        rules = yaml.safe_load(RULES.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule |= {"expr": broken, "for": "0s"}
        (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
        played = yaml.safe_load(play.read_text()) | {"rule_files": [str(tmp_path / "rules.yaml")]}
        cases = played["tests"]
        for case in cases:
            (tmp_path / "play.yaml").write_text(yaml.safe_dump({**played, "tests": [case]}))
            fires = bool(case["promql_expr_test"][0]["exp_samples"])
            if fires == (broken == "vector(0) > 1"):
                assert promtool("test", "rules", tmp_path / "play.yaml").returncode != 0, case["name"]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(NAMES)
    for alert in ALERTS:
        assert alert["annotations"]["runbook_url"] == f"{BASE}{alert['alert']}.html"
        page = (RUNBOOKS / f"{alert['alert']}.md").read_text()
        assert page.startswith(f"# {alert['alert']}\n")
        assert "\n## Look\n" in page
        assert "\n## Do\n" in page
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page):
            assert (RUNBOOKS / link).exists(), link


def test_the_page_lists_the_alerts_as_they_are() -> None:
    said = ROW.findall((ROOT / "docs" / "alerts.md").read_text())
    shown = [(name, severity, after, needs) for name, page, severity, after, needs in said if name == page]
    assert shown == [
        (a["alert"], a["labels"]["severity"], a["for"], "yes" if "needs" in a["labels"] else "") for a in ALERTS
    ]


def test_what_is_kept_back_has_the_labels_that_the_rule_of_alertmanager_wants() -> None:
    """`needs: upcloud` and an account to compare; the alert that keeps them back has not the first."""
    text = (ROOT / "docs" / "alerts.md").read_text()
    [rule] = yaml.safe_load(text.split("```yml\n")[1].split("```")[0])["inhibit_rules"]
    assert rule["source_matchers"] == ['alertname="NetgwUpCloudUnreachable"']
    assert rule["target_matchers"] == ['needs="upcloud"']
    assert rule["equal"] == ["account"]
    kept = {alert["alert"] for alert in ALERTS if alert["labels"].get("needs") == "upcloud"}
    assert "NetgwUpCloudUnreachable" not in kept
    fired = [
        sample["labels"]
        for play in PLAYS
        for case in yaml.safe_load(play.read_text())["tests"]
        for expr in case["promql_expr_test"]
        for sample in expr["exp_samples"]
    ]
    for labels in fired:
        name = re.findall(r'alertname="(\w+)"', labels)[0]
        assert ('needs="upcloud"' in labels) == (name in kept)
        not_made = 'name="new"' in labels  # no account is known yet
        assert 'account="alice"' in labels or not_made or name not in kept | {"NetgwUpCloudUnreachable"}


def test_what_is_named_in_a_command_is_what_the_chart_makes() -> None:
    """Service and port, and the Deployment, of a release that is called netgw."""
    made = objects("default")
    ports = {
        f"{obj['metadata']['name']}:{port['name']}"
        for obj in made
        if obj["kind"] == "Service"
        for port in obj["spec"]["ports"]
    }
    deployments = {obj["metadata"]["name"] for obj in made if obj["kind"] == "Deployment"}
    text = "".join(path.read_text() for path in RUNBOOKS.glob("*.md"))
    services = re.findall(r"\bservices/([\w:-]+)", text)
    named = re.findall(r"\bdeploy(?:ment)?s?/([\w-]+)", text)
    assert services
    assert named
    assert set(services) <= ports
    assert set(named) <= deployments


def test_the_page_of_not_synced_leaves_out_what_its_rule_leaves_out() -> None:
    [rule] = [alert for alert in ALERTS if alert["alert"] == "NetgwNotSynced"]
    [left_out] = re.findall(r'reason!~"([^"]+)"', rule["expr"])
    said = (RUNBOOKS / "NetgwNotSynced.md").read_text().partition("Not counted")[2].partition("\n")[0]
    assert sorted(re.findall(r"`(\w+)`", said)) == sorted(left_out.split("|"))


def conditions() -> set[tuple[str, str, str, str]]:
    """Kind, type, status and reason of what an object can have: those of its kind, and those of docs/conditions.md."""
    known: set[tuple[str, str, str, str]] = {
        (kind.kind, verdict.condition, verdict.status, reason)
        for kind in KINDS
        for verdict in kind.verdicts
        for reason in verdict.reasons
    }
    sections = re.split(r"^## ", (ROOT / "docs" / "conditions.md").read_text(), flags=re.MULTILINE)
    for section in sections:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE)
        if section.startswith("Ready: all kinds\n"):
            of_all = {("Ready", status, reason) for reason, status in rows}
        elif found := re.match(r"Synced: (True|False)", section):
            of_all = {("Synced", found[1], reason) for reason, _ in rows}
        else:
            continue
        known |= {(kind.kind, *row) for kind in KINDS for row in of_all}
    return known


def test_each_condition_of_a_rule_is_one_that_an_object_can_have() -> None:
    """Also each that is left out: a word that is written wrongly leaves out nothing."""
    known, seen = conditions(), 0
    for alert in ALERTS:
        for text in CONDITION.findall(alert["expr"]):
            said = {label: value for label, _, value in MATCHER.findall(text)}
            for reason in said.get("reason", "").split("|"):
                wanted = (said.get("kind"), said["type"], said.get("status"), reason or None)
                assert any(all(w in (None, k) for w, k in zip(wanted, one, strict=True)) for one in known), wanted
                seen += bool(reason)
    assert seen > 20


def test_each_other_word_of_a_rule_is_one_that_a_label_can_have() -> None:
    """Reasons of credentials are those of objects that wait for them."""
    known = {"policy": {"Observe", *CHOICES["driftPolicy"]}}
    known["reason"] = {reason for _, type_, status, reason in conditions() if (type_, status) == ("Synced", "False")}
    said = {
        (label, word)
        for alert in ALERTS
        for label, _, words in MATCHER.findall(CONDITION.sub("", alert["expr"]))
        for word in words.split("|")
        if label in known
    }
    assert {label for label, _ in said} == set(known)
    assert [(label, word) for label, word in said if word not in known[label]] == []


def test_only_the_connection_that_is_down_is_worth_a_page() -> None:
    assert [alert["alert"] for alert in ALERTS if alert["labels"]["severity"] == "critical"] == ["NetgwConnectionDown"]
