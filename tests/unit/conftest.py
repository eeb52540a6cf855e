# SPDX-License-Identifier: Apache-2.0
"""Shared by unit tests: a time of day that is always the same.

A test that sees the machine's own fails at some hour. What a session shares is made
at that time too, which is why no fixture does this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.version import RELEASED_AT
from tests.support.warm_fixtures import warm_children

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["warm_children"]

TUESDAY_AT_8 = RELEASED_AT + 3600.0
"""In Vietnam, in the second lesson; no clock that shows it is wrong."""

_ABOUT_THE_MACHINE = Path(__file__).parent / "base" / "test_clock.py"
_patch = pytest.MonkeyPatch()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.path != _ABOUT_THE_MACHINE:
        _patch.setattr(SystemClock, "wall", lambda _: TUESDAY_AT_8)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    yield
    _patch.undo()
