# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.publish."""

import pytest

from tests.support.feed_fixtures import no_waiting_for_the_disk

__all__ = ["no_waiting_for_the_disk"]


@pytest.fixture(autouse=True)
def _no_waiting(no_waiting_for_the_disk: None) -> None:
    """Have no test wait for the disk."""
