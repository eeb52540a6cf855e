# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from tests.support.commands import call


def test_it_serves_on_loopback_only() -> None:
    done = call("monitor", "--listen", "0.0.0.0:9153", "--lang", "en")
    assert (done.code, done.out) == (2, "")
    assert "--listen '0.0.0.0:9153' is no loopback address with a port" in done.err
