# SPDX-License-Identifier: Apache-2.0
"""What is wrong, in Vietnamese: by the English template of ``filterd.sentences.say``.

A test finds every template that the code has and asks for its Vietnamese one,
with the same placeholders. Nobody imports this but ``sentences.told``, when
somebody reads Vietnamese.
"""

from __future__ import annotations

from filterd.texts import (
    errors_changes,
    errors_commands,
    errors_feed,
    errors_following,
    errors_guard,
    errors_lists,
    errors_publishing,
    errors_site,
    errors_system,
)

TEXTS = (
    errors_system.TEXTS
    | errors_lists.TEXTS
    | errors_site.TEXTS
    | errors_changes.TEXTS
    | errors_commands.TEXTS
    | errors_feed.TEXTS
    | errors_following.TEXTS
    | errors_guard.TEXTS
    | errors_publishing.TEXTS
)
"""Each English template and the Vietnamese one."""
