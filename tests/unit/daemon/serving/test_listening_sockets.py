# SPDX-License-Identifier: Apache-2.0
"""Sockets are bound, all or none, or taken again from the service manager."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base import service_manager
from filterd.base.errors import ConfigError
from filterd.base.service_manager import notify, store_sockets
from filterd.daemon.serving.listening_sockets import (
    by_tls,
    listen_again_on,
    listen_by_tls,
    listen_on,
)
from filterd.policy.model import ListenAddress
from tests.support.daemon import free_port, is_free
from tests.support.descriptor_store import DescriptorStore
from tests.support.no_ipv6 import NoIpv6
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_PORT = ListenAddress("127.0.0.1", 0)


def _close(*opened: socket.socket) -> None:
    for one in opened:
        one.close()


def test_an_address_has_both_transports_on_one_port() -> None:
    (listening,) = listen_on([ANY_PORT])
    assert listening.udp.type == socket.SOCK_DGRAM
    assert listening.tcp.getsockname() == ("127.0.0.1", listening.port)
    _close(*listening)


def test_where_one_cannot_be_bound_none_stays_open() -> None:
    (taken,) = listen_on([ANY_PORT])
    with pytest.raises(ConfigError, match=r"\(process \d+\) has it"):
        listen_on([ListenAddress("::1", 0), ListenAddress("127.0.0.1", taken.port)])
    _close(*taken)  # and the warning of an unclosed socket would fail this test


def test_an_address_that_is_not_there_is_listened_on_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (listening,) = listen_on([ListenAddress("203.0.113.9", 0)])
    _close(*listening)
    assert "this machine has no address 203.0.113.9 now" in caplog.text


@pytest.mark.parametrize(
    ("listen", "listen_tls", "served"),
    [
        ([53, 5300], None, [853]),
        ([5300], None, []),
        ([53], (), []),
        ([5300], (ListenAddress("192.0.2.1", 8530),), [8530]),
    ],
)
def test_tls_is_served_beside_port_53_if_nothing_else_is_written(
    listen: list[int], listen_tls: tuple[ListenAddress, ...] | None, served: list[int]
) -> None:
    addresses = tuple(ListenAddress("192.0.2.1", port) for port in listen)
    policy = replace(a_policy(), listen=addresses, listen_tls=listen_tls)
    assert [one.port for one in by_tls(policy)] == served


def test_a_port_of_tls_that_another_program_holds_is_one_line_and_the_rest_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        tls = listen_by_tls([ListenAddress("127.0.0.1", port), ANY_PORT])
    _close(*tls.sockets)
    assert len(tls.sockets) == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in tls.problem
    assert f"(process {os.getpid()}) has it" in tls.problem
    assert [record.getMessage() for record in caplog.records] == [f"DNS over TLS: {tls.problem}"]


def test_on_a_kernel_without_ipv6_the_addresses_of_ipv4_serve(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket, "socket", NoIpv6)
    (listening,) = listen_on([ANY_PORT, ListenAddress("::1", 0)])
    assert listening.udp.getsockname()[0] == "127.0.0.1"
    assert "no IPv6: not answering at ::1" in caplog.text
    _close(*listening)


def test_on_a_kernel_without_ipv6_nothing_but_ipv6_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "socket", NoIpv6)
    with pytest.raises(ConfigError, match="::1 port 0: Address family not supported"):
        listen_on([ListenAddress("::1", 0)])


def test_control_an_address_that_is_there_is_not(caplog: pytest.LogCaptureFixture) -> None:
    (listening,) = listen_on([ANY_PORT])
    _close(*listening)
    assert caplog.text == ""


class Restarts:
    """Starts that follow each other in one process, with a store between them."""

    def __init__(self, store: DescriptorStore, patch: pytest.MonkeyPatch) -> None:
        self.store, self._patch = store, patch

    def listen(self, *addresses: ListenAddress) -> list[socket.socket]:
        """Listen with what is stored."""
        kept = self.store.kept
        first = _free_descriptors(len(kept))
        for n, (_, number) in enumerate(kept):
            os.dup2(number, first + n)
        self._patch.setattr(service_manager, "_FIRST_SOCKET", first)
        names = ":".join(name for name, _ in kept)
        for key, value in (("PID", os.getpid()), ("FDS", len(kept)), ("FDNAMES", names)):
            self._patch.setenv(f"LISTEN_{key}", str(value))
        opened = list(chain.from_iterable(listen_again_on(addresses)))
        notify("READY=1")
        self.store.read_until("READY=1")
        return opened


def _free_descriptors(number: int) -> int:
    """Return the first of so many numbers that no file has."""
    first = 500
    while any(Path(f"/proc/self/fd/{first + n}").exists() for n in range(number)):
        first += number
    return first


@pytest.fixture
def restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarts]:
    with DescriptorStore(tmp_path) as store:
        monkeypatch.setenv("NOTIFY_SOCKET", str(store.path))
        yield Restarts(store, monkeypatch)


def _same(one: socket.socket, other: socket.socket) -> bool:
    return os.path.sameopenfile(one.fileno(), other.fileno())


def test_a_restart_takes_the_sockets_of_the_start_before(restarts: Restarts) -> None:
    at = ListenAddress("127.0.0.1", free_port())
    first = restarts.listen(at)
    stored = list(restarts.store.kept)
    assert [name for name, _ in stored] == ["dns", "dns"]
    again = restarts.listen(at)
    assert all(map(_same, first, again))
    assert restarts.store.kept == stored
    assert not any(one.get_inheritable() for one in again)
    _close(*first, *again)


def test_control_without_the_store_the_address_is_still_in_use(restarts: Restarts) -> None:
    at = ListenAddress("127.0.0.1", free_port())
    first = restarts.listen(at)
    with pytest.raises(ConfigError, match="has it"):
        listen_on([at])
    _close(*first)


def test_an_address_that_is_configured_no_more_is_free_again(restarts: Restarts) -> None:
    old, kept, new = (ListenAddress("127.0.0.1", free_port()) for _ in range(3))
    first = restarts.listen(old, kept)
    _close(*first[:2])
    again = restarts.listen(kept, new)
    assert is_free(old.port)
    assert all(map(_same, first[2:], again[:2]))
    assert len(restarts.store.kept) == 4
    _close(*first[2:], *again)


def test_a_start_that_cannot_bind_an_address_leaves_the_sockets_to_the_next(
    restarts: Restarts,
) -> None:
    at = ListenAddress("127.0.0.1", free_port())
    first, stored = restarts.listen(at), list(restarts.store.kept)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = ListenAddress("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="has it"):
            restarts.listen(at, other)
    notify("STOPPING=1")
    restarts.store.read_until("STOPPING=1")
    assert restarts.store.kept == stored
    again = restarts.listen(at)
    assert all(map(_same, first, again))
    _close(*first, *again)


def test_what_another_release_has_stored_by_another_name_is_closed(restarts: Restarts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        store_sockets("tls", [foreign])
        port = foreign.getsockname()[1]
    opened = restarts.listen(ListenAddress("127.0.0.1", free_port()))
    again = restarts.listen(ListenAddress("127.0.0.1", opened[0].getsockname()[1]))
    assert [name for name, _ in restarts.store.kept] == ["dns", "dns"]
    assert is_free(port)
    _close(*opened, *again)


def test_a_socket_taken_again_reports_where_datagrams_come_from(restarts: Restarts) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as bare:
        bare.bind(("127.0.0.1", free_port()))
        store_sockets("dns", [bare])
        port = bare.getsockname()[1]
        taken = listen_with(restarts, port)
    assert taken[0].getsockopt(socket.IPPROTO_IP, 8) == 1
    _close(*taken)


def listen_with(restarts: Restarts, port: int) -> list[socket.socket]:
    """Listen on a port of which one socket is on its way to the store."""
    notify("READY=1")
    restarts.store.read_until("READY=1")
    return restarts.listen(ListenAddress("127.0.0.1", port))
