# SPDX-License-Identifier: Apache-2.0
"""Say what went wrong: problem details for programs (RFC 9457), a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.accounts.sessions import SignInError
from filterd.errors import ChangeError, ConfigError, ConfigErrors, ControlError, FilterdError

if TYPE_CHECKING:
    from filterd.i18n import Language

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:filterd:error:"


class WebError(FilterdError):
    """A request that is refused by the web process itself."""

    code = "request"

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def status_of(error: FilterdError) -> HTTPStatus:
    """Return the status code that stands for an error."""
    match error:
        case WebError():
            return error.status
        case SignInError():
            return HTTPStatus.UNAUTHORIZED
        case control.UnansweredError() | control.NotLetInError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case ControlError():
            return HTTPStatus.FORBIDDEN
        case ConfigErrors() | ChangeError() | ConfigError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def details(error: FilterdError, language: Language) -> dict[str, Any]:
    """Return an error as problem details; ``type`` ends with its stable code."""
    status = status_of(error)
    return {
        "type": f"{_TYPE}{error.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.told(language),
    }
