# SPDX-License-Identifier: Apache-2.0
"""What people and programs meet changes only where somebody means it."""

from __future__ import annotations

import pytest

from tests.support.frozen_faces import FOLDER, TABLES, frozen


@pytest.mark.parametrize("name", TABLES)
def test_it_is_as_it_was(name: str) -> None:
    was, now = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines(), frozen(name)
    changed = sorted({*was} ^ {*now.splitlines()})
    assert not changed, "if this is meant: make reference, and commit tests/fixtures/frozen"
    assert was == now.splitlines(), "in another order"
