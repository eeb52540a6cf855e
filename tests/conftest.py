# SPDX-License-Identifier: Apache-2.0
"""Set up all tests: hypothesis, and the marker of controls."""

from __future__ import annotations

import os

import hypothesis
import pytest

# No deadline: it measures the machine and not the code, and machines are shared. The same
# examples each time: a suite that is green stays green; `make fuzz` draws others.
hypothesis.settings.register_profile(
    "filterd", deadline=None, derandomize="FILTERD_FUZZ_QUERIES" not in os.environ
)
hypothesis.settings.load_profile("filterd")

CONTROL = "test_control_"
"""The prefix of tests that switch a safeguard off and expect the harm."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark controls by their names: ``make test`` leaves them to ``make test-controls``."""
    for item in items:
        if item.name.startswith(CONTROL):
            item.add_marker(pytest.mark.control)
