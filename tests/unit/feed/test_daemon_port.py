# SPDX-License-Identifier: Apache-2.0
"""Where no daemon runs nothing has to be told, and nothing speaks against a version."""

from __future__ import annotations

from filterd.feed.daemon_port import Daemon


def test_nobody_refuses_nothing_and_has_nothing_to_tell() -> None:
    nobody = Daemon()
    nobody.reload()
    assert nobody.status() == {}
    assert nobody.is_blocked("bet.example")
    assert nobody.usual_blocks() == 0.0
