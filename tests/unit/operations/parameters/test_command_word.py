# SPDX-License-Identifier: Apache-2.0
"""A word of a command line is an option unless it stands without a name."""

from __future__ import annotations

from filterd.operations.parameters.command_word import SWITCH, CommandWord, argument


def test_an_argument_has_no_name_and_a_switch_no_value() -> None:
    assert argument("ID", "Which.") == CommandWord("ID", "Which.", is_argument=True)
    assert (SWITCH.metavar, SWITCH.is_argument) == ("", False)
