"""Bases of the models that describe a custom resource: spec, status, references, and what admission checks.

One model serves twice: `kube/crd.py` makes the CustomResourceDefinition of it, the operator parses objects with it. A
spec is strict. A status accepts whatever was written, for the words in it are the cloud's, and those change.
Attributes are snake_case (the cloud's names), fields of the manifest camelCase. A docstring below a field is its
description in the CRD; a blank line in it starts a paragraph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

INT32_MAX = 2**31 - 1
UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
OBJECT_NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DATA_KEY_PATTERN = r"^[-._a-zA-Z0-9]+$"


@dataclass(frozen=True)
class Rule:
    """A CEL rule that admission checks, and what the user is told to do when it does not hold.

    `field_path` (relative, such as `.name`) names the field that the message is about, where that is not the field
    which carries the rule.
    """

    rule: str
    message: str
    reason: Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"] = "FieldValueInvalid"
    field_path: str | None = None

    def to_schema(self) -> dict[str, JsonValue]:
        """As Kubernetes writes it."""
        schema: dict[str, JsonValue] = {"rule": self.rule, "message": self.message, "reason": self.reason}
        return schema if self.field_path is None else {**schema, "fieldPath": self.field_path}


def rules(*these: Rule) -> dict[str, JsonValue]:
    """Extra of a field's or model's schema: CEL rules."""
    return {"x-kubernetes-validations": [rule.to_schema() for rule in these]}


def list_set() -> dict[str, JsonValue]:
    """Extra of a list's schema: no item twice, and the order means nothing."""
    return {"x-kubernetes-list-type": "set"}


def list_map(*keys: str) -> dict[str, JsonValue]:
    """Extra of a list's schema: items are told apart by these keys, which no two may share."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


Uuid = Annotated[str, Field(pattern=UUID_PATTERN, max_length=36)]
ObjectName = Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=128)]


class Model(BaseModel):
    """Frozen; unknown fields are ignored, for an object may be newer than the operator."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


EXACTLY_ONE = Rule("has(self.name) != has(self.uuid)", "give exactly one of name and uuid")


class ParentRef(Model):
    """A parent: either an object in the same namespace or something in the cloud."""

    model_config = ConfigDict(json_schema_extra=rules(EXACTLY_ONE))

    name: ObjectName | None = None
    """metadata.name of the parent, an object in the same namespace. It may come later: until then this object waits."""
    uuid: Uuid | None = None
    """UUID, in lower case, of a parent that exists in the cloud and is not managed by any object here."""

    @model_validator(mode="after")
    def _exactly_one(self) -> ParentRef:
        if (self.name is None) == (self.uuid is None):
            raise PydanticCustomError("parent_ref", "give exactly one of name and uuid")
        return self


class SecretKeyRef(Model):
    """One key of a Secret in the same namespace."""

    name: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)]
    """Name of the Secret, in the same namespace."""
    key: Annotated[str, Field(pattern=DATA_KEY_PATTERN, min_length=1, max_length=253)] = "psk"
    """Key in the Secret's data. Default: psk."""


class Import(Model):
    """Which one of those that exist in the cloud is meant."""

    model_config = ConfigDict(json_schema_extra=rules(EXACTLY_ONE))

    name: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Its name in the cloud."""
    uuid: Uuid | None = None
    """Its UUID, in lower case."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Import:
        if (self.name is None) == (self.uuid is None):
            raise PydanticCustomError("import", "give exactly one of name and uuid")
        return self


IMPORT_FIXED = Rule(
    "!has(oldSelf.status) || !has(oldSelf.status.uuid) || (has(self.spec.__import__) == has(oldSelf.spec.__import__)"
    " && (!has(self.spec.__import__) || (has(self.spec.__import__.uuid)"
    " ? has(oldSelf.spec.__import__.uuid) && self.spec.__import__.uuid == oldSelf.spec.__import__.uuid"
    " : has(oldSelf.spec.__import__.name) && self.spec.__import__.name == oldSelf.spec.__import__.name)))",
    "import is immutable once the object is bound; delete this object (what it imported is retained by default)"
    " and make another one",
    reason="FieldValueForbidden",
    field_path=".spec.import",
)
"""At the root of every kind, the only place that sees whether it is bound. `import` is a reserved word of CEL, which
Kubernetes lets us write as `__import__`."""


def required_to_create(field: str) -> Rule:
    """A field of the spec without which nothing can be made; an import can do without."""
    return Rule(
        f"has(self.__import__) || has(self.{field})",
        f"{field} is required, unless spec.import names what exists",
        reason="FieldValueRequired",
        field_path=f".{field}",
    )


class Spec(Model):
    """Base of the specs. A field that is not set is not managed: it keeps what the cloud has or chooses."""

    import_: Annotated[Import | None, Field(alias="import")] = None
    """Bind this object to something that exists in the cloud instead of making it. Then no field but the parent is
    needed, and unless the spec says otherwise it is only observed, kept when this object is deleted, and its drift is
    told and not corrected. What is absent is waited for, and never made.

    Immutable once bound (status.uuid)."""
    management_policy: Literal["Full", "Observe"] | None = None
    """Full: make, change and delete it. Observe: look and tell, with no call that changes anything, also in deletion.
    Default: Observe with import, else what the gateway, the namespace or the operator says, else Full."""
    deletion_policy: Literal["Delete", "Retain"] | None = None
    """What becomes of it in the cloud when this object is deleted. Default: Retain with import, else what the gateway,
    the namespace or the operator says, else Delete."""
    drift_policy: Literal["Correct", "Report"] | None = None
    """What is done when the cloud comes to differ from the spec: put it back, or only tell (status.drift). Default:
    Report with import, else what the gateway, the namespace or the operator says, else Correct."""
    recreate_policy: Literal["Never", "Always"] | None = None
    """Whether it is made again unasked when it vanished from the cloud. Default: what the gateway, the namespace or the
    operator says, else Never for gateways and routers (a new one has another address), Always for the others."""
    disruption_policy: Literal["Allow", "Ask"] | None = None
    """What is done with changes that interrupt traffic, or may: make them, or wait until each plan is approved
    (netgw.dev/approve). Default: what the gateway, the namespace or the operator says, else Allow."""

    def missing(self) -> tuple[str, ...]:
        """Fields without which nothing can be made, by their names in the manifest."""
        return ()


class Condition(Model):
    """One aspect of the object's state, as metav1.Condition."""

    type: str
    """Which aspect, for example Ready or Synced."""
    status: str
    """True, False or Unknown."""
    reason: str | None = None
    """Why, in one documented CamelCase word."""
    message: str | None = None
    """What is, since when, what it means for traffic, and what you can do."""
    last_transition_time: AwareDatetime | None = None
    """When the status last flipped."""
    observed_generation: int | None = None
    """The metadata.generation that this condition was made for."""


class PskRecord(Model):
    """Which pre-shared key is meant, without the key."""

    fingerprint: str | None = None
    """Keyed fingerprint of the key, v1:<id of the fingerprint key>:<HMAC>. The key cannot be read from it."""
    resource_version: str | None = None
    """resourceVersion of the Secret that the key was read from."""


class CreateRecord(Model):
    """What is about to be created, written before the cloud is asked: it is found again if the answer is lost."""

    name: str | None = None
    """Name in the cloud."""
    parent_uuid: str | None = None
    """UUID of the parent in the cloud, where there is one."""
    account: str | None = None
    """User name of the account that creates."""
    at: AwareDatetime | None = None
    """When, by the clock of the cloud."""
    psk: PskRecord | None = None
    """The pre-shared key that is sent, without the key. Tunnels only."""


class Drift(Model):
    """One field of which the cloud has another value than the spec."""

    path: str | None = None
    """The field, as a path in the object."""
    desired: str | None = None
    """What the spec says."""
    observed: str | None = None
    """What the cloud has."""
    since: AwareDatetime | None = None
    """When the difference was first seen."""


class PoliciesInEffect(Model):
    """Policies after inheritance and defaults, in the words of the spec."""

    management_policy: str | None = None
    """Full or Observe."""
    deletion_policy: str | None = None
    """Delete or Retain."""
    drift_policy: str | None = None
    """Correct or Report."""
    recreate_policy: str | None = None
    """Never or Always."""
    disruption_policy: str | None = None
    """Allow or Ask."""


class Approval(Model):
    """A plan that was approved."""

    hash: str | None = None
    """The value of the annotation netgw.dev/approve that was taken. The same one approves nothing a second time."""
    changes: tuple[str, ...] | None = None
    """Hashes of the single changes that may still be made. Absent when all are."""


class SecretRef(Model):
    """A Secret in the same namespace."""

    name: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)]
    """Name of the Secret, in the same namespace."""


class UsedSecret(Model):
    """A Secret in the same namespace, as used."""

    name: str | None = None
    """Name of the Secret."""


class Status(Model):
    """Base of the statuses: what every kind has. All of it is optional, none of it is checked."""

    observed_generation: int | None = None
    """The metadata.generation that this status was made for. Lower than it: the last change was not looked at yet. -1:
    the object was not looked at yet."""
    uuid: str | None = None
    """UUID in the cloud. Absent while nothing has been created or found."""
    reason: str | None = None
    """The word of the REASON column: why Ready is what it is; why not in sync, when Ready is True and Synced is not."""
    conditions: Annotated[tuple[Condition, ...] | None, Field(json_schema_extra=list_map("type"))] = None
    """Ready (traffic can flow) and Synced (the cloud has what the spec says), always there; Reconciling and Stalled,
    there only while true; others of the kind."""
    account: str | None = None
    """User name of the cloud account that it belongs to. With another account's credentials nothing is done."""
    credentials_secret_ref: UsedSecret | None = None
    """Secret with the cloud credentials that are used. Absent: the operator's own."""
    policies: PoliciesInEffect | None = None
    """Policies in effect."""
    approval: Approval | None = None
    """The plan that was approved last, with disruptionPolicy Ask."""
    create: CreateRecord | None = None
    """An unfinished creation. Absent once its result is known."""
    drift: tuple[Drift, ...] | None = None
    """Fields of which the cloud has another value than the spec, at most 20."""
    last_handled_reconcile_at: str | None = None
    """The value of the annotation netgw.dev/reconcile-requested-at that was handled last."""
