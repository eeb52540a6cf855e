# SPDX-License-Identifier: Apache-2.0
"""A worker serves DNS over TLS while the box has a certificate."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.daemon.serving import tls_transport
from tests.support.daemon import free_port
from tests.support.serving import TlsStub, make_certificate
from tests.support.team import School, Team
from tests.support.wire import a_query

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

BLOCKED = a_query("porn.example")
OFTEN_S = 0.02


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def school(
    tmp_path: Path, built: StateFolder, port: int, monkeypatch: pytest.MonkeyPatch
) -> School:
    monkeypatch.setattr(tls_transport, "LOOK_EVERY_S", OFTEN_S)
    school = School(tmp_path, built)
    school.write(f"listen_tls: [127.0.0.1:{port}]\n")
    return school


def asked(port: int) -> bytes:
    """Ask as a phone does."""
    with TlsStub("127.0.1.1", ("127.0.0.1", port)) as stub:
        return stub.ask(BLOCKED)


async def until_served(port: int) -> bytes:
    while True:
        try:
            return await asyncio.to_thread(asked, port)
        except ConnectionRefusedError:
            await asyncio.sleep(OFTEN_S)


def test_nothing_listens_until_there_is_a_certificate(school: School, port: int) -> None:
    async def work(team: Team) -> None:
        await asyncio.sleep(3 * OFTEN_S)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        shown = (await team.manager.status())["tls"]
        make_certificate(school.state.web)
        assert (await asyncio.wait_for(until_served(port), 10.0))[:2] == BLOCKED[:2]
        assert shown["problem"][0] == "there is no certificate; run: sudo filterd cert make"

    school.serve(work)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_status_counts_over_all_workers(school: School, port: int, workers: int) -> None:
    make_certificate(school.state.web)

    async def work(team: Team) -> None:
        for _ in range(6):
            await until_served(port)
        tls = (await team.manager.status())["tls"]
        assert tls["handshakes"] == 6
        assert tls["listen"] == [{"address": "127.0.0.1", "port": port}]
        assert not tls["problem"]

    school.serve(work, workers=workers)


def test_a_site_that_does_not_serve_it_loads_none_of_it(school: School) -> None:
    school.write("listen_tls: []\n")

    async def work(team: Team) -> None:
        assert team.worker._tls is None
        assert (await team.manager.status())["tls"] is None

    school.serve(work)


def test_a_port_that_is_held_is_shown_and_dns_goes_on(school: School, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):

        async def work(team: Team) -> None:
            problem = (await team.manager.status())["tls"]["problem"]
            assert "cannot listen on {address} port {port}: {why}" in str(problem)
            with socket.create_connection(("127.0.0.1", school.port)):
                pass

        school.serve(work)


def test_an_end_answers_what_was_asked_by_tls(school: School, port: int) -> None:
    make_certificate(school.state.web)
    stubs = list[TlsStub]()

    async def work(_: Team) -> None:
        await until_served(port)
        stub = await asyncio.to_thread(TlsStub, "127.0.1.1", ("127.0.0.1", port))
        stubs.append(stub)
        await asyncio.to_thread(stub.ask, BLOCKED)  # so that filterd has the last of the handshake
        stub.send(BLOCKED)

    school.serve(work)
    with stubs[0] as stub:
        assert stub.receive()[:2] == BLOCKED[:2]
        assert stub.is_ended()
