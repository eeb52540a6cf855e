# SPDX-License-Identifier: Apache-2.0
"""All commands about the policy stand in one group."""

from __future__ import annotations

from typing import Any

import typer

from filterd.cli import policy_group


def test_the_group_has_what_looks_and_what_changes() -> None:
    found: Any = typer.main.get_command(policy_group.app)
    assert {"validate", "show", "tree"} <= set(found.commands)  # of the site's files
    assert {"set", "diff", "test", "history", "undo"} <= set(found.commands)  # of what is in force
