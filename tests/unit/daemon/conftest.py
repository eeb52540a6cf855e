# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.daemon."""

from __future__ import annotations

import pytest

from tests.support.serving_fixtures import index, serving, upstream
from tests.support.site_fixtures import config, state
from tests.support.warm_fixtures import warm_children

__all__ = ["config", "index", "serving", "state", "upstream", "warm_children"]


@pytest.fixture(autouse=True)
def _warm(warm_children: None) -> None:
    """Start the compiler of policies warm."""
