# SPDX-License-Identifier: Apache-2.0
"""Each error has a status and details that keep its code."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from filterd.accounts.sessions import sign_in_again
from filterd.base.errors import (
    ChangeError,
    ConfigError,
    ConfigErrors,
    ControlError,
    FilterdError,
    StoreError,
    from_plain,
    to_plain,
)
from filterd.control import UnansweredError
from filterd.texts.i18n import say
from filterd.web.problem import WebError, details, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (WebError(HTTPStatus.NOT_FOUND, say("x")), 404),
        (UnansweredError(say("x")), 503),
        (from_plain(to_plain(sign_in_again())), 401),
        (ControlError(say("x")), 403),
        (ChangeError(say("x")), 422),
        (ConfigErrors([ConfigError(say("x"))]), 422),
        (StoreError(say("x")), 500),
    ],
)
def test_an_error_has_a_status(error: FilterdError, status: int) -> None:
    assert status_of(error) == status


def test_details_are_in_the_language_of_the_person() -> None:
    found = details(WebError(HTTPStatus.NOT_FOUND, say("there is no such page")), "vi")
    assert found["type"] == "urn:filterd:error:request"
    assert (found["status"], found["title"]) == (404, "Not Found")
    assert found["detail"] == "không có trang này"
