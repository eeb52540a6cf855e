# SPDX-License-Identifier: Apache-2.0
"""Accounts are asked of the manager as they are."""

from __future__ import annotations

from filterd.web.operations import ORDER
from filterd.web.operations.account_operations import SET_ROLES
from tests.support.operations import RecordedVisitor


def test_roles_come_as_boxes_of_a_form_or_as_a_list() -> None:
    visitor = RecordedVisitor(answers={"account roles": {"account": "lan", "roles": ["teacher"]}})
    wanted = {"account": "lan", "roles": ["reader", "teacher"]}
    assert visitor.last(SET_ROLES, account="lan", roles="reader\nteacher") == wanted
    assert visitor.last(SET_ROLES, **wanted) == wanted


def test_each_change_has_a_sentence() -> None:
    assert all((one.done is not None) is one.is_change for one in ORDER if one.tag == "accounts")
