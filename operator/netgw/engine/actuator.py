"""The contract between the engine and one kind of cloud resource.

A kind says how to find, compare, make, change, delete and describe its resource. It never writes conditions, finalizers
or status, never waits and never retries: each method is one question or one API call, and the engine decides the rest.
Whatever the cloud answers that is not success is raised as `CallFailed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from netgw.engine.objects import Json, Object
from netgw.engine.outcome import Hold, Stalled
from netgw.engine.plan import Change, Field, Values

ConditionStatus = Literal["True", "False", "Unknown"]


class InvalidSpec(Exception):
    """The spec does not parse; the message names each field and what is expected."""


@dataclass(frozen=True)
class Links:
    """Whom an object refers to, read from its raw spec.

    `parent` is (kind, metadata.name) in the same namespace; `parent_uuid` is (kind, uuid in the cloud), of which an
    object of ours may be the one that records it. `secrets` hold its keys, `credentials` those of the cloud account.
    """

    parent: tuple[str, str] | None = None
    secrets: tuple[str, ...] = ()
    parent_uuid: tuple[str, str] | None = None
    credentials: str | None = None


@dataclass(frozen=True)
class Psk:
    """Which key is meant, without the key: a keyed fingerprint and the version of the Secret it was read from."""

    fingerprint: str
    resource_version: str

    def to_status(self) -> dict[str, Json]:
        return {"fingerprint": self.fingerprint, "resourceVersion": self.resource_version}


@dataclass(frozen=True)
class Desired:
    """What the spec wants, resolved.

    `values` holds only what the spec sets; `defaults` is ours for a create and is never compared. `payload` carries
    what only the kind understands (a key in a SecretStr), for the length of one pass.
    """

    name: str
    parent: str | None
    values: Values
    defaults: Values = field(default_factory=dict)
    psk: Psk | None = None
    payload: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Resolution:
    """What `resolve` found: what is wanted as far as it is known, and what is in the way of the rest."""

    desired: Desired | None
    holds: tuple[Hold, ...] = ()
    remember: Psk | None = None
    """The key that the Secret holds now, where status is to know it although it is not sent."""
    warnings: tuple[str, ...] = ()
    """Advice that blocks nothing, each a sentence that stands alone."""


@dataclass(frozen=True)
class External:
    """A resource as observed. `began` is the monotonic time at which the request that brought it began."""

    uuid: str
    name: str
    parent: str | None
    created_at: datetime | None
    values: Values
    began: float
    owner: str | None = None
    deleting: bool = False
    wire: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Absent:
    """Proven: the recorded uuid itself answered 404. `parent_gone`: an ancestor is proven gone as well."""

    message: str
    parent_gone: bool = False


@dataclass(frozen=True)
class Unseen:
    """Nothing can be said now: no usable look. Proves neither absence nor drift."""

    message: str = ""


Look = External | Absent | Unseen


@dataclass(frozen=True)
class Action:
    """Something that a user asks for by an annotation with a time, to be done once.

    `annotation` without our prefix; `field` of the status remembers the value that was handled last; `done` and
    `failed` are reasons of Events, `words` what is done, in a few words.
    """

    annotation: str
    field: str
    done: str
    failed: str
    words: str


@dataclass(frozen=True)
class Created:
    """The answer to a create: the uuid, and the status fields that `identity` would give (the parents' uuids)."""

    uuid: str
    identity: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """A fresh look for a name: what carries it, when the request began, and the cloud's clock then.

    `parent_gone` is proven; `parent_unseen`: a list of everything does not show it, which proves nothing by itself.
    `mine` is what our mark points to (gateways); `named` is what has the name.
    """

    began: float
    date: datetime
    named: tuple[External, ...] = ()
    mine: tuple[External, ...] = ()
    parent_gone: bool = False
    parent_unseen: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition as a kind sees it; generation and transition time are the engine's."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


@dataclass(frozen=True)
class Observation:
    """What `describe` says of an external resource: Ready, conditions of the kind's own, and status fields.

    `fields` are cut to what people read, for the cloud may say anything; `notes`, which are ours alone and which
    admission bounds, are kept whole. `converging`: the cloud is still at work on it, look often. `after`: seconds until
    the description changes with time alone (an overdue set-up).
    """

    ready: Condition
    conditions: tuple[Condition, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)
    notes: Mapping[str, Json] = field(default_factory=dict)
    converging: bool = False
    after: float | None = None


class Actuator(Protocol):
    """One kind."""

    @property
    def kind(self) -> str: ...

    @property
    def word(self) -> str:
        """What people call it: gateway, connection, tunnel."""

    @property
    def fields(self) -> Sequence[Field]: ...

    @property
    def recreate(self) -> bool:
        """Whether what vanished is made again unasked, where no policy says."""

    @property
    def anew(self) -> str:
        """Why it is not made again unasked, in a few words."""

    @property
    def cascades(self) -> bool:
        """Whether the cloud deletes what is below along, without a word. Else it refuses while there is something."""

    @property
    def actions(self) -> Sequence[Action]:
        """What a user can ask for beside what the spec says."""

    @property
    def marked(self) -> bool:
        """Whether the resource carries our mark as a label; else its name under its parent identifies it."""

    def links(self, obj: Object) -> Links: ...

    def validate(self, obj: Object) -> None:
        """Raises InvalidSpec."""

    def hold(self, obj: Object) -> Hold | None:
        """What stops every call for this object now: no credential, refused, unreachable, not settled yet."""

    def account(self, obj: Object) -> str | None:
        """The user name behind the object's credential, None until it is known."""

    def credentials(self, obj: Object) -> str | None:
        """The Secret whose credential is used for the object; None: the operator's own."""

    def heir_of(self, obj: Object) -> tuple[bool, Object | None]:
        """Whether the object inherits policies from another one, and that one, where it exists."""

    def blind(self, obj: Object) -> str | None:
        """The message of CannotObserve, when there was no look for max(3 intervals, 5 min)."""

    async def owns(self, obj: Object) -> bool:
        """Whether the recorded uuid answers 200 to this credential."""

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        """By the recorded uuid, from the snapshot; read anew when asked to, or when it is older than our last write."""

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        """A read of its own, begun now."""

    def seen(self, obj: Object) -> Sequence[External] | None:
        """Everything of the kind where an import looks, as last seen; None: not looked yet."""

    def owned_by(self, obj: Object, external: External) -> str | None:
        """Whose mark it carries, where that is not this object's."""

    def equal(self, external: External, desired: Desired) -> bool:
        """Whether every field that the spec sets is as the spec says (adoption without a record)."""

    def parent_hold(self, obj: Object) -> Hold | None:
        """ParentNotFound, ParentNotCreated, ParentDeleting: why nothing can be created under the parent now."""

    def parent_uuid(self, obj: Object) -> str | None:
        """The uuid that the reference to the parent means now."""

    def parent_unknown(self, obj: Object) -> bool:
        """There is a parent, and it is not known which uuid it has."""

    def circumstances(self, obj: Object) -> Values:
        """What of the cloud a refusal may have been due to: when it changes, a refused call is tried again."""

    def effective_name(self, obj: Object) -> str:
        """spec.name, else metadata.name."""

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        """`may_write`: nothing stops this pass from changing something, were it in Kubernetes (a key that is made)."""

    def moved(self, obj: Object, external: External) -> Stalled | None:
        """ImmutableField, when a reference now means another uuid than the parent it has."""

    def batches(self, changes: Sequence[Change]) -> Sequence[tuple[Change, ...]]:
        """The changes by the calls that make them, in the order in which these are to be made."""

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        """Before an update: why it has to wait for others, or status fields to be written first."""

    def tree(self, obj: Object, parent: str | None = None) -> AbstractAsyncContextManager[None]:
        """Serialises the mutating calls to one gateway and all below it."""

    async def create(self, obj: Object, desired: Desired) -> Created: ...

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        """One call: `changes` are one of the batches."""

    async def act(self, obj: Object, external: External, action: Action) -> None:
        """One call: do what the user asks for."""

    async def children(self, obj: Object, external: External) -> Sequence[str]:
        """What the cloud has below it, read afresh, each named for people."""

    async def unmark(self, obj: Object, external: External) -> None:
        """Take our mark off, where it carries one: one call at most."""

    async def delete(self, obj: Object, external: External) -> None: ...

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation: ...

    def identity(self, external: External) -> Mapping[str, Json]:
        """Status fields that deletion needs when parents and specs are gone: the parents' uuids."""
