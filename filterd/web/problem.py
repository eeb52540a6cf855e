# SPDX-License-Identifier: Apache-2.0
"""Report errors: problem details for programs (RFC 9457), a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.errors import ConfigError, ControlError, FilterdError, parts_of
from filterd.control.frames import UNKNOWN
from filterd.texts.i18n import translated

if TYPE_CHECKING:
    from filterd.texts.i18n import Language, Sentence

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:filterd:error:"

SIGN_IN, PASSWORD_NEEDED, NOT_ADMITTED = "sign-in", "password-needed", "not-admitted"
WRONG_PASSWORD, CODE_NEEDED = "wrong-password", "code-needed"
"""Codes of the manager's errors (``daemon.handlers.account_commands``)."""
_STATUS = {
    SIGN_IN: HTTPStatus.UNAUTHORIZED,
    PASSWORD_NEEDED: HTTPStatus.FORBIDDEN,
    NOT_ADMITTED: HTTPStatus.FORBIDDEN,
    WRONG_PASSWORD: HTTPStatus.FORBIDDEN,
    CODE_NEEDED: HTTPStatus.FORBIDDEN,
    "slow-down": HTTPStatus.TOO_MANY_REQUESTS,
    "busy-sign-in": HTTPStatus.SERVICE_UNAVAILABLE,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    UNKNOWN: HTTPStatus.NOT_IMPLEMENTED,
}


class WebError(FilterdError):
    """A request that is refused by the web process itself."""

    code = "request"

    def __init__(self, status: HTTPStatus, sentence: Sentence) -> None:
        self.status, self._sentence = status, sentence
        super().__init__(sentence)

    @property
    def sentence(self) -> Sentence:
        """What it was made from."""
        return self._sentence


def status_of(error: FilterdError) -> HTTPStatus:
    """Return the status code that stands for an error."""
    match error:
        case WebError():
            return error.status
        case control.UnansweredError() | control.NotLetInError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case ControlError():  # the manager's errors keep their code and no class of their own
            return _STATUS.get(error.code, HTTPStatus.FORBIDDEN)
        case ConfigError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def details(error: FilterdError, language: Language) -> dict[str, Any]:
    """Return an error as problem details; ``type`` ends with its stable code."""
    status = status_of(error)
    return {
        "type": f"{_TYPE}{error.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.translated(language),
        "code": error.code,
        "errors": [
            {
                "place": one.place,
                "detail": translated(one.reason, language),
                "hint": translated(one.hint, language),
            }
            for one in parts_of(error)
        ],
    }
