# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of filterd.feed."""

import pytest

from tests.support.feed_fixtures import founded, no_waiting_for_the_disk, published, school

__all__ = ["founded", "no_waiting_for_the_disk", "published", "school"]


@pytest.fixture(autouse=True)
def _no_waiting(no_waiting_for_the_disk: None) -> None:
    """Have no test wait for the disk."""
