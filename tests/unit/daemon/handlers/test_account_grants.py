# SPDX-License-Identifier: Apache-2.0
"""A request has the rights of the session or token that comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError
from filterd.daemon.handlers import control_server
from filterd.daemon.handlers.control_caller import Caller

if TYPE_CHECKING:
    from tests.support.account_school import AccountSchool


def test_a_request_of_a_page_has_no_rights(people: AccountSchool) -> None:
    page = Caller(991, "filterd-blockpage", frozenset({"filterd-page"}))
    assert people.ask("page-why", page, address="10.0.6.7") == ["web:", 0]
    for command in ("status", "account list", "login", "school"):
        with pytest.raises(ControlError, match="only ask for what"):
            people.ask(command, page, address="10.0.6.7")


def test_control_without_that_a_page_asks_for_the_status(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "check_face", lambda *_: None)
    page = Caller(991, "filterd-blockpage", frozenset({"filterd-page"}))
    assert people.ask("status", page) == ["filterd-blockpage", 0]
