"""Bad days on order: which request goes wrong, how, how often, and whether the cloud did the work all the same."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

When = Literal["before", "after"]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]


class Fault(BaseModel):
    """Exactly one of `status`, `timeout`, `reset`, `half`, `slow` and `skip`.

    `match` is "METHOD /path", both may hold `*`; the query is not looked at. `timeout` holds the answer for so many
    seconds and then drops it; `reset` drops the connection at once, `half` in the middle of the answer's body. `slow`
    answers as ever, so many seconds late. `skip` answers the list of services as if so many
    ahead of its page had vanished since the page before, so that a client misses as many that live. `times` is how many
    requests it meets, null all of them. With `when: after` the cloud does the work and only the answer is lost. `body`
    (text as it is, anything else as JSON) and `headers` go with a status.
    """

    model_config = ConfigDict(extra="forbid")

    match: Annotated[str, Field(pattern=r"^\S+ [/*]\S*$")]
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    timeout: Annotated[float, Field(gt=0)] | None = None
    reset: bool = False
    half: bool = False
    slow: Annotated[float, Field(gt=0)] | None = None
    skip: Annotated[int, Field(ge=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    when: When = "before"
    body: Any = None
    headers: dict[HeaderName, HeaderValue] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in (self.status, self.timeout, self.slow, self.skip) if kind is not None]
        if len(given) + self.reset + self.half != 1:
            raise ValueError("exactly one of status, timeout, reset, half, slow, skip")
        if self.status is None and (self.body is not None or self.headers):
            raise ValueError("body and headers need a status")
        return self

    def meets(self, method: str, path: str) -> bool:
        """Whether this request is meant."""
        pattern = ".*".join(re.escape(part) for part in self.match.split("*"))
        return re.fullmatch(pattern, f"{method} {path}") is not None


class Way(TypedDict, total=False):
    """The fields of a `Fault` beside `match`."""

    status: int | None
    timeout: float | None
    reset: bool
    half: bool
    slow: float | None
    skip: int | None
    times: int | None
    when: When
    body: Any
    headers: dict[str, str]


class Faults:
    """Faults in the order in which they were added; the first that meets a request is used."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, match: str, **way: Unpack[Way]) -> Fault:
        """Adds one; the fields are those of `Fault`, a ValueError says what is wrong with them."""
        fault = Fault(match=match, **way)
        self.put(fault)
        return fault

    def put(self, fault: Fault) -> None:
        """Adds one that is made already. Kept as a copy: `times` is counted down."""
        self._waiting.append(fault.model_copy())

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted."""
        for fault in self._waiting:
            if fault.meets(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    self._waiting = [each for each in self._waiting if each.times != 0]
                return fault
        return None

    def waiting(self) -> list[Fault]:
        """Those that are still to come."""
        return [fault.model_copy() for fault in self._waiting]

    def clear(self) -> None:
        """No more faults."""
        self._waiting = []
