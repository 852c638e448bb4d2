"""Clients of UpCloud's API: the operator's own, and one for each Secret with credentials, all to the same address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from netgw.providers.upcloud.api import (
    Credentials,
    UpCloud,
    base_url_from_env,
    check_environment,
    expiry_from_env,
)

VARIABLES = ("UPCLOUD_TOKEN", "UPCLOUD_USERNAME", "UPCLOUD_PASSWORD")


class Clients:
    """`own`: the operator's credentials, where it has some, and when they expire. `options`: of every `UpCloud`."""

    def __init__(
        self, own: Credentials | None, *, base_url: str, expires: datetime | None = None, **options: Any
    ) -> None:
        self._own = own
        self.expires = expires
        self._options = {"base_url": base_url, **options}
        self._made: list[UpCloud] = []
        self._may_change: Callable[[], bool] | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Clients:
        """From the variables of the official clients; without any of them the operator has no credentials.

        Raises CredentialsError, BaseUrlError and TrustError, each in time: nothing was asked yet.
        """
        none = not any(environ.get(name) for name in VARIABLES)
        own, expires = None if none else Credentials.from_env(environ), expiry_from_env(environ)
        base_url = base_url_from_env(environ)
        check_environment(base_url)
        return cls(own, base_url=base_url, expires=expires)

    def fence(self, may_change: Callable[[], bool]) -> None:
        """From now on nothing is changed but while this says yes; for clients that are still to be made."""
        self._may_change = may_change

    def own(self) -> UpCloud | None:
        """With the operator's own credentials."""
        return None if self._own is None else self.of(self._own)

    def of(self, credentials: Credentials) -> UpCloud:
        """With these credentials, and a budget of its own."""
        client = UpCloud(credentials, may_change=self._may_change, **self._options)
        self._made.append(client)
        return client

    async def close(self, client: UpCloud) -> None:
        """It is not used any more."""
        if client in self._made:
            self._made.remove(client)
        await client.aclose()

    async def aclose(self) -> None:
        """Close all."""
        for client in list(self._made):
            await self.close(client)
