# SPDX-License-Identifier: Apache-2.0
"""A token is asked for with one role, one scope and an end."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.api_tokens import AddToken

WHOLE: dict[str, Any] = {"name": "bảng tin", "role": "reader", "scope": "totals", "days": 30}


@pytest.mark.parametrize(
    "given",
    [
        {"days": 367},
        {"days": 0},
        {"days": True},
        {"days": None},
        {"scope": "everything"},
        {"scope": None},
        {"role": "root"},
        {"role": None},
        {"name": ""},
        {"addresses": ["10.0.0.1"] * 17},
        {"addresses": 7},
        {"account": ["lan"]},
    ],
    ids=repr,
)
def test_what_a_token_must_be_is_checked(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        AddToken.read(WHOLE | given)


def test_addresses_come_as_lines_of_a_form_or_as_a_list() -> None:
    asked = AddToken.read({**WHOLE, "addresses": "10.0.0.1\n10.0.1.0/24"})
    assert asked.addresses == ("10.0.0.1", "10.0.1.0/24")
    assert AddToken.read(asked.arguments) == asked
    assert AddToken.read(WHOLE).arguments == WHOLE
