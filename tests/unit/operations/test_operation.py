# SPDX-License-Identifier: Apache-2.0
"""An operation has the fields of its request."""

from __future__ import annotations

from filterd.operations.exceptions import ALLOW, EXCEPTIONS, Allow


def test_its_fields_are_those_of_its_request() -> None:
    assert ALLOW.fields is Allow.fields()


def test_to_read_changes_nothing() -> None:
    assert [one.is_change for one in (ALLOW, EXCEPTIONS)] == [True, False]
