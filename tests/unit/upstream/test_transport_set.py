# SPDX-License-Identifier: Apache-2.0
"""The set of transports; each of them has its own tests."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import uvloop

from filterd.upstream.transport_set import Transports
from tests.support.clock import FakeClock
from tests.support.serving import open_sockets

if TYPE_CHECKING:
    import pytest


class FakeTls:
    """Notes that it was made and closed."""

    made: int = 0
    closed: int = 0

    def __init__(self, *_: object) -> None:
        FakeTls.made += 1

    def close(self) -> None:
        FakeTls.closed += 1


def test_tls_is_made_when_it_is_needed_and_closed_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("filterd.upstream.tls.TlsConnections", FakeTls)

    async def main() -> None:
        before = open_sockets()
        without, with_tls = (Transports(FakeClock(), Counter()) for _ in range(2))
        assert with_tls.tls is with_tls.tls
        without.close()
        with_tls.close()
        assert (FakeTls.made, FakeTls.closed, open_sockets()) == (1, 1, before)

    uvloop.run(main())


def test_a_process_whose_servers_need_no_tls_does_without_it() -> None:
    code = "import sys, filterd.upstream; print('filterd.upstream.tls' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
