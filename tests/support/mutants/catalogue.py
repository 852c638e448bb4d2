"""Defects that an operator such as this one can have, each of which the proofs have to notice."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from support.mutants.planting import planted

ENGINE, UPCLOUD = "netgw.engine", "netgw.providers.upcloud"


@dataclass(frozen=True)
class Mutant:
    """`what` is wrong; `where` and `changes` as `planted` takes them.

    What notices it: a short `story`, or the simulation, as soon as the `seed` is played. Neither: nothing is known to.
    """

    name: str
    what: str
    where: str
    changes: Mapping[str, str]
    story: str = ""
    seed: int = 0

    def planted(self) -> AbstractContextManager[None]:
        return planted(self.where, self.changes)


CREATING = (
    Mutant(
        "no-record",
        "a POST goes out without a record in status",
        f"{ENGINE}.create:_post",
        {'await p.save(Waiting("Creating", f"Making {p.actuator.word} {desired.name}."))': "pass"},
        story="edited",
    ),
    Mutant(
        "adopt-by-name",
        "whatever has the name is adopted, without a record and without a mark",
        f"{ENGINE}.ownership:without_record",
        {"mine = search.mine if marked else tuple(filter(adoptable, search.named))": "mine = search.named"},
        story="name_taken",
    ),
    Mutant(
        "adopt-what-another-holds",
        "what another object records is free to take",
        f"{ENGINE}.ownership:_free",
        {"(other is None or other.uid == obj.uid) and": ""},
        story="rivals",
    ),
    Mutant(
        "no-mark",
        "gateways are made without our mark",
        f"{UPCLOUD}.gateway.plan:desired",
        {", MARK: owner": ""},
        story="marked",
    ),
    Mutant(
        "no-look-after-lost-answer",
        "an answer that is lost counts as a refusal: the record goes at once",
        f"{ENGINE}.create:settle",
        {
            "if not proven and not looked_twice(": "if False and not looked_twice(",
            "if isinstance(verdict, Ours):": "if False:",
        },
        story="deleted_while_made",
    ),
    Mutant(
        "post-again",
        "a POST whose answer is lost is sent again, without a look",
        f"{UPCLOUD}.api.transport:Transport._retry_delay",
        {"error.method not in SAFE_METHODS or": ""},
        story="sent_once",
    ),
    Mutant(
        "post-under-deletion",
        "a child is made under a parent that is being deleted",
        f"{UPCLOUD}.base:Base._managed_hold",
        {"if ancestor is not None and ancestor.deleting:": "if False:"},
        story="nothing_new_below",
    ),
    Mutant(
        "status-never-lost",
        "a status that was lost counts as one that never was",
        f"{ENGINE}.objects:Object.lost",
        {"return unknown and not self.creating and self.uuid is None": "return False"},
        story="lost_and_deleted",
    ),
    Mutant(
        "lost-status-looked-once",
        "a status was lost, one list shows nothing, and all is made again",
        f"{ENGINE}.create:_found",
        {"not looked_twice(p, search, p.env.started)": "False"},
        story="lost_and_unlisted",
    ),
    Mutant(
        "lost-status-trusts-another-account",
        "a status was lost, and what is below it is not asked in which account it was",
        f"{ENGINE}.create:_account_below",
        {"account not in (None, here)": "False"},
        story="lost_elsewhere",
    ),
)
LOOKING = (
    Mutant(
        "trust-a-list",
        "what a list does not name is gone",
        f"{UPCLOUD}.observing.view:View.took",
        {"self._cache.drop(uuid)": "self._cache.gone(uuid)"},
        story="nothing_listed",
    ),
    Mutant(
        "trust-another-account",
        "the 404 of another account's credential is proof",
        f"{ENGINE}.progress:Pass.account_hold",
        {"if recorded in (None, account) or await self.actuator.owns(self.obj):": "if True:"},
        story="another_account",
    ),
    Mutant(
        "trust-a-proxy",
        "a 404 in nobody's words is proof",
        f"{UPCLOUD}.failures:_is_proof",
        {" and error.code is not None": ""},
        story="nobody_knows",
    ),
    Mutant(
        "snapshot-backwards",
        "a read that began earlier replaces one that began later",
        f"{UPCLOUD}.observing.cache:Cache.take",
        {"if old is not None and old.began > entry.began:": "if False:"},
        story="late_list",
    ),
    Mutant(
        "stale-after-write",
        "what was read before our own write is believed after it",
        f"{UPCLOUD}.observing.view:View.get",
        {"self._cache.last_write(uuid)": "0.0"},
        story="edited",
    ),
    Mutant(
        "store-backwards",
        "an event that comes late replaces what is younger",
        f"{ENGINE}.store:_newer",
        {"return int(new.resource_version) > int(old.resource_version)": "return True"},
        story="late_event",
    ),
    Mutant(
        "key-by-name",
        "objects are known by name: one made again is taken for the one that is gone",
        f"{ENGINE}.objects:Object.key",
        {'self.metadata["uid"]': 'f"{self.namespace}/{self.name}"'},
        seed=4,
    ),
    Mutant(
        "start-too-early",
        "work begins before the store is whole",
        "netgw.app:App.load",
        {"for kind in self._kinds:": "for kind in ():"},
        story="told_bit_by_bit",
    ),
    Mutant(
        "no-precondition",
        "a status is written over whatever stands there",
        "support.memory_kubernetes:MemoryKubernetes._checked",
        {' or body["metadata"]["resourceVersion"] != obj.resource_version': ""},
        seed=101,
    ),
    Mutant(
        "event-lost",
        "what is heard of an object during its pass is forgotten",
        f"{ENGINE}.queue:Queue._turn",
        {
            "if key in self._dirty:\n        self._dirty.discard(key)\n        self.add(key)\n    elif": ""
            "self._dirty.discard(key)\n    if"
        },
        seed=2,
    ),
)
DELETING = (
    Mutant(
        "no-proof-of-deletion",
        "the finalizer goes when the DELETE was answered, before the 404",
        f"{ENGINE}.finalize:_send",
        {'return replace(_going(p, f"{p.actuator.word} {external.uuid}: deletion sent."), after=0.0)': "return None"},
        story="deleted_in_truth",
    ),
    Mutant(
        "cascade",
        "what others made below is deleted along",
        f"{ENGINE}.finalize:_cascade",
        {"foreign = await p.actuator.children(p.obj, external)": "foreign = ()"},
        story="others_below",
    ),
    Mutant(
        "children-not-awaited",
        "a parent is deleted although children of it are still there",
        f"{ENGINE}.finalize:_children_in_kubernetes",
        {"if not children:": "if True:"},
        story="children_first",
    ),
    Mutant(
        "record-ignored-in-deletion",
        "an object under deletion forgets that it was being made",
        f"{ENGINE}.finalize:finalize",
        {"if Record.of(p.obj) is None and p.obj.uuid is None:": "if p.obj.uuid is None:"},
        story="deleted_while_made",
    ),
)
POLICIES = (
    Mutant(
        "observe-ignored",
        "what is only to be observed is changed",
        f"{ENGINE}.policy:Policies.observes",
        {'return self.values["managementPolicy"] == "Observe"': "return False"},
        story="observed",
    ),
    Mutant(
        "retain-ignored",
        "what is to be retained is deleted",
        f"{ENGINE}.policy:Policies.retains",
        {'return self.values["deletionPolicy"] == "Retain"': "return False"},
        story="retained",
    ),
    Mutant(
        "report-ignored",
        "drift is corrected although it is only to be reported",
        f"{ENGINE}.policy:Policies.reports",
        {'return self.values["driftPolicy"] == "Report"': "return False"},
        story="reported",
    ),
    Mutant(
        "pause-ignored",
        "what is paused is changed",
        f"{ENGINE}.progress:Pass.gate",
        {'value not in (None, "false") and': "False and"},
        story="paused",
    ),
)
CHANGING = (
    Mutant(
        "defaults-are-drift",
        "what the spec leaves to the cloud is compared with a default of our own",
        f"{UPCLOUD}.tunnel.plan:desired",
        {"getattr(spec.ipsec, field, None)": 'getattr(spec.ipsec, field, None) or {"rekey_time": 14400}.get(field)'},
        story="left_to_the_cloud",
    ),
    Mutant(
        "no-companions",
        "a PATCH of a tunnel lacks the fields that the API demands beside the changed ones",
        f"{UPCLOUD}.tunnel.plan:modification",
        {
            'IpsecModify.model_validate({"authentication": authentication, **_ipsec(targets)})': ""
            "IpsecModify.model_construct(**_ipsec(targets))",
            "return TunnelModify.model_validate(body)": "return TunnelModify.model_construct(**body)",
        },
        story="edited",
    ),
    Mutant(
        "fingerprint-forgotten",
        "which key the cloud took is not remembered",
        f"{ENGINE}.progress:Pass.record_update",
        {'self.status["psk"] = desired.psk.to_status() | {"acceptedAt": self.now_text()}': "pass"},
        story="rotated",
    ),
    Mutant(
        "secret-unheard",
        "a change of a Secret wakes nobody",
        "netgw.app:App.secret_changed",
        {"self._wake(self.store.secret_users(namespace, name))": "pass"},
        story="rotated",
    ),
    Mutant(
        "all-at-once",
        "tunnels of one connection are cut at the same time",
        f"{UPCLOUD}.rollout:Rollout.begin",
        {"if other.uid == obj.uid:": "if True:"},
        story="one_by_one",
    ),
    Mutant(
        "hold-what-is-down",
        "a tunnel that is down waits until others are up again",
        f"{UPCLOUD}.tunnel.actuator:TunnelActuator.prepare",
        {"is_up(external.wire[2]) is not True or not interrupting(changes)": "not interrupting(changes)"},
        story="down_already",
    ),
    Mutant(
        "status-every-time",
        "a status is written although it is the same",
        f"{ENGINE}.progress:Pass.save",
        {"if self.status != dict(self.obj.status):": "if True:"},
        story="still",
    ),
)
CALLING = (
    Mutant(
        "no-back-off",
        "what failed is tried again at once",
        f"{ENGINE}.memo:Memo.failed",
        {"return replace(outcome, after=after)": "return replace(outcome, after=0.0)"},
        story="refused",
    ),
    Mutant(
        "key-logged",
        "the body of a call is logged",
        f"{UPCLOUD}.api.transport:Transport._exchange",
        {
            "content = encode(query.body)": "content = encode(query.body); "
            '__import__("logging").getLogger("netgw").debug("%s", content)'
        },
        seed=1,
    ),
    Mutant(
        "key-told",
        "an Event shows the key",
        f"{ENGINE}.progress:Pass.record_update",
        {
            '"The cloud accepted the new pre-shared key."': ""
            "str(desired.payload.key and desired.payload.key.get_secret_value())"
        },
        story="rotated",
    ),
)
MUTANTS = (*CREATING, *LOOKING, *DELETING, *POLICIES, *CHANGING, *CALLING)
