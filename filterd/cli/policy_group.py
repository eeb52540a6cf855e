# SPDX-License-Identifier: Apache-2.0
"""``filterd policy``: its commands put together."""

from __future__ import annotations

from filterd.cli import expectations, policy, policy_changes, policy_diff

app = policy.app
app.command("set")(policy_changes.set_)
app.command("diff")(policy_diff.diff)
app.command("test")(expectations.hold)
app.command("history")(policy_changes.history)
app.command("undo")(policy_changes.undo)
