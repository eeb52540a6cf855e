# SPDX-License-Identifier: Apache-2.0
"""Each command of ``filterd`` has operations, or a reason why it is at the box only."""

from __future__ import annotations

from filterd.cli import tree
from filterd.web.command_table import AT_THE_BOX, operations_of
from filterd.web.operations import ORDER

COMMANDS = {
    f"{one} {two}" if two else one
    for one in tree.names_beneath([])
    for two in (tree.names_beneath([one]) or [""])
}


def test_every_command_is_in_the_table_once() -> None:
    remote = {one for one in COMMANDS if operations_of(one)}
    assert COMMANDS - remote - AT_THE_BOX.keys() == set()
    assert not remote & AT_THE_BOX.keys()


def test_the_table_has_no_other_commands_of_a_group() -> None:
    named = {*AT_THE_BOX, *(command for one in ORDER for command in one.commands)}
    groups = {one.partition(" ")[0] for one in COMMANDS if " " in one}
    assert {one for one in named if one.partition(" ")[0] in groups} <= COMMANDS


def test_reasons_are_sentences_to_read_after_because() -> None:
    assert all(one[0].islower() and not one.endswith(".") for one in AT_THE_BOX.values())
