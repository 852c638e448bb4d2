"""Names: of the API group, and of what lives in UpCloud."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from netgw.kube.resource import IMPORT_FIXED, Rule

GROUP = "upcloud.netgw.dev"
VERSION = "v1alpha1"
CATEGORIES = ("netgw",)

NAME_PATTERN = "^[a-zA-Z0-9_-]{1,64}$"

CloudName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
"""A name that UpCloud accepts (API document: gateway, address, connection, route and tunnel names alike)."""

SHORT_ENOUGH = Rule(
    "size(self.metadata.name) <= 128",
    "metadata.name must not be longer than 128 characters; make the object under a shorter name",
)
"""At the root of every kind: references to it have to fit."""

NAME_RULES = (
    Rule(
        f"has(self.spec.name) || has(self.spec.__import__) || self.metadata.name.matches('{NAME_PATTERN}')",
        "metadata.name cannot be the name in UpCloud, which has 1 to 64 characters of a-z A-Z 0-9 _ -; set spec.name",
        reason="FieldValueRequired",
        field_path=".spec.name",
    ),
    SHORT_ENOUGH,
)
"""At the root of the kinds with a `CloudName`: it is metadata.name where spec.name is not set."""

ROOT_RULES = (*NAME_RULES, IMPORT_FIXED)
"""At the root of the kinds with a `CloudName`."""
