# SPDX-License-Identifier: Apache-2.0
"""Errors are collected, then raised together."""

from __future__ import annotations

import pytest

from filterd.config.error_collector import Problems
from filterd.errors import ConfigError, ConfigErrors
from filterd.i18n import say


def test_nothing_wrong_is_no_error() -> None:
    Problems().raise_if_any()


def test_all_problems_come_in_the_order_of_files_and_lines() -> None:
    problems = Problems()
    problems.add(ConfigError(say("third"), path="b", line=1))
    problems.add(
        ConfigErrors(
            [ConfigError(say("second"), path="a", line=9), ConfigError(say("first"), path="a")]
        )
    )
    with pytest.raises(ConfigErrors) as caught:
        problems.raise_if_any()
    assert [error.reason for error in caught.value.errors] == ["first", "second", "third"]


def test_a_noted_error_ends_its_block_only() -> None:
    problems = Problems()
    with problems.noting():
        raise ConfigError(say("noted"))
    with pytest.raises(ConfigErrors, match="noted"):
        problems.raise_if_any()


def test_a_bug_is_not_noted() -> None:
    with pytest.raises(AssertionError), Problems().noting():
        raise AssertionError
