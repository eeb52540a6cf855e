# SPDX-License-Identifier: Apache-2.0
"""The table of operations is sound: names, paths, roles, sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.roles import Role
from filterd.web import operations

if TYPE_CHECKING:
    from filterd.web.operation import Operation


def test_names_and_addresses_are_unique() -> None:
    assert len(operations.BY_NAME) == len(operations.ORDER)
    addresses = {(one.method, re.sub(r"\{\w+\}", "{}", one.path)) for one in operations.ORDER}
    assert len(addresses) == len(operations.ORDER)


@pytest.mark.parametrize("one", operations.ORDER, ids=lambda one: one.name)
def test_an_operation_is_whole(one: Operation) -> None:
    assert re.fullmatch(r"[a-z][A-Za-z]{2,30}", one.name)
    assert one.about.endswith(".")
    assert Role.ADMIN in one.roles
    assert one.answer or one.media_types
    assert one.is_change or one.done is None
    in_path = set(re.findall(r"\{(\w+)\}", one.path))
    assert in_path <= set(one.fields.required)
    assert not (one.is_change and one.is_stream)


def test_a_fixed_address_stands_before_one_with_a_key() -> None:
    """Starlette takes the first that fits: ``/devices/unknown`` must not be a key."""
    for place, one in enumerate(operations.ORDER):
        form = re.compile(re.sub(r"\{\w+\}", "[^/]+", one.path))
        later = operations.ORDER[place + 1 :]
        hidden = [other.path for other in later if other.method == one.method]
        assert not [path for path in hidden if form.fullmatch(path)]
