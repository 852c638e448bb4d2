"""The errors of the API as values: `Problem` for gateways, `CoreError` for router, zone, account and a refused login.

Shapes: wire of the sibling services that share the stack (load balancer 2026-01, file storage 2025-12); no error of a
gateway URL was ever recorded. Texts are those of the API document where it has one.
"""

from __future__ import annotations

from typing import Any

TYPE_BASE = "https://developers.upcloud.com/1.3/errors#ERROR_"

# Titles of the API document's 404 rows.
NO_SERVICE = "Service with provided UUID not found."
NO_RESOURCE = "The resource you requested does not exist."
NO_CONNECTION = "Connection not found."
NO_TUNNEL = "Tunnel not found."
NO_LABEL = "Resource not found."

_BY_STATUS = {  # what a fault of this status says unless it brings its own body
    400: ("INVALID_REQUEST", "Validation error."),
    402: ("INSUFFICIENT_CREDITS", "Customer account does not have enough credits for the requested action."),
    403: ("FORBIDDEN", "You are not allowed to access this resource."),
    404: ("RESOURCE_NOT_FOUND", NO_RESOURCE),
    409: ("CONFLICT", "The request conflicts with the current state of the resource."),
    429: ("TOO_MANY_REQUESTS", "Too many requests."),
}


class Problem(Exception):
    """application/problem+json: `code` is the word behind `ERROR_`, `invalid_params` pairs of (dot path, reason)."""

    def __init__(self, status: int, code: str, title: str, invalid_params: list[tuple[str, str]] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.invalid_params = invalid_params or []

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The JSON object of the answer; `invalid_params` is left out when there are none."""
        params = [{"name": name, "reason": reason} for name, reason in self.invalid_params]
        return {
            "correlation_id": correlation_id,
            **({"invalid_params": params} if params else {}),
            "status": self.status,
            "title": self.title,
            "type": TYPE_BASE + self.code,
        }


class CoreError(Exception):
    """The legacy shape: `{"error": {"error_code", "error_message"}}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        return {"error": {"error_code": self.code, "error_message": self.message}}


def not_found(title: str) -> Problem:
    """404."""
    return Problem(404, "RESOURCE_NOT_FOUND", title)


def invalid(*params: tuple[str, str]) -> Problem:
    """400 that names the fields."""
    return Problem(400, "INVALID_REQUEST", "Validation error.", list(params))


def refused(title: str) -> Problem:
    """400 of a rule; the API document lists these texts beside "Validation error."."""
    return Problem(400, "INVALID_REQUEST", title)


def duplicate(title: str) -> Problem:
    """409."""
    return Problem(409, "DUPLICATE_RESOURCE", title)


def being_deleted() -> Problem:
    """409 for a change of a service that is on its way out (assumption)."""
    return Problem(409, "CONFLICT", "Service is being deleted.")


def not_simulated(what: str) -> Problem:
    """501: the simulator does not know this, and says so rather than guess."""
    return Problem(501, "NOT_IMPLEMENTED", f"The simulator does not have {what}.")


def unauthorized() -> CoreError:
    """401; the legacy shape also on gateway URLs (assumption)."""
    return CoreError(401, "AUTHENTICATION_FAILED", "Authentication failed using the given username and password.")


def of_status(status: int) -> Problem | CoreError:
    """The error that an answer with this status would carry, for faults without a body of their own."""
    if status == 401:
        return unauthorized()
    technical = ("SERVICE_ERROR", "Your request could not be fulfilled due to a technical issue.")
    return Problem(status, *_BY_STATUS.get(status, technical))
