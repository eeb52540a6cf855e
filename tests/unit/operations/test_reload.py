# SPDX-License-Identifier: Apache-2.0
"""A person reloads all; the feed reloads lists only."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.operations.reload import RELOAD, Reload, Reloaded


def test_the_feed_asks_for_lists_only_and_a_person_for_all() -> None:
    assert Reload.read({"lists_only": True}).arguments == {"lists_only": True}
    assert Reload().arguments == {}
    with pytest.raises(ConfigError, match="lists_only"):
        RELOAD.fields.read({"lists_only": True})


def test_the_answer_keeps_what_is_doubtful() -> None:
    done = Reloaded("0123456789ab", 5, 2, ("listen",), ({"error": "config", "more": [1]},))
    assert Reload.answer_of(to_plain(done)) == done
