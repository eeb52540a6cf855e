# SPDX-License-Identifier: Apache-2.0
"""Requests of classes are read and decided on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.review_requests import (
    APPROVE,
    REFUSE,
    REQUESTS,
    ApproveRequest,
    ReadRequests,
    RefuseRequest,
)
from filterd.overrides.rights.roles import Role

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


def test_a_request_is_approved_for_a_term() -> None:
    given = {"id": "3", "reason": "Bài 12", "term": "lesson", "for_tier": "on"}
    asked = {"id": 3, "reason": "Bài 12", "lesson": True, "for_tier": True}
    assert ApproveRequest.read(given).arguments == asked


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ApproveRequest, {"id": 3, "reason": "x"}),
        (ApproveRequest, {"id": 0, "reason": "x", "lesson": True}),
        (ApproveRequest, {"id": 3, "lesson": True}),
        (RefuseRequest, {"id": 3}),
        (RefuseRequest, {"id": 3, "reason": "x", "name": "a.example"}),
        (ReadRequests, {"class": "6A"}),
    ],
)
def test_what_is_wrong_is_refused(kind: type[OperationRequest[Any]], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind.read(given)


def test_readers_are_not_shown_them() -> None:
    for operation in (REQUESTS, APPROVE, REFUSE):
        assert operation.roles == {Role.TEACHER, Role.ADMIN}
