# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.account_school import people
from tests.support.daemon import is_free
from tests.support.made_once import MadeOnce
from tests.support.serving_fixtures import built, index, serving, upstream
from tests.support.site_fixtures import config, state
from tests.support.team import School

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

__all__ = ["built", "config", "index", "people", "serving", "state", "upstream"]


@pytest.fixture(autouse=True)
def _warm(warm_children: None) -> None:
    """Start the compiler of policies warm."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> MadeOnce[School]:
    folder = tmp_path_factory.mktemp("school")
    return MadeOnce(folder, lambda folder: School(folder, built).compiled())


@pytest.fixture
def school(made: MadeOnce[School], tmp_path: Path, built: StateFolder) -> School:
    """A school with lists and a policy; another where its port is in use by now."""
    school = made.anew()
    return school if is_free(school.port) else School(tmp_path, built)
