# SPDX-License-Identifier: Apache-2.0
"""The process that holds a port, for real sockets and for damaged tables."""

from __future__ import annotations

import os
import pwd
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.base.port_holders import PortHolder, holders
from tests.support import needs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("family", "address", "kind", "protocol"),
    [
        (socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM, "udp"),
        pytest.param(socket.AF_INET6, "::1", socket.SOCK_DGRAM, "udp", marks=needs.IPV6),
        (socket.AF_INET, "0.0.0.0", socket.SOCK_STREAM, "tcp"),
        pytest.param(socket.AF_INET6, "::", socket.SOCK_STREAM, "tcp", marks=needs.IPV6),
    ],
)
def test_a_socket_is_found_with_its_process(
    family: int, address: str, kind: int, protocol: str
) -> None:
    with socket.socket(family, kind) as opened:
        opened.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            opened.listen()
        (found,) = holders(opened.getsockname()[1])
    assert (found.protocol, found.address) == (protocol, address)
    assert os.getpid() in found.pids
    assert found.program
    assert found.user == pwd.getpwuid(os.getuid()).pw_name


def test_a_connected_socket_holds_no_port_for_others() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        opened.connect(("127.0.0.1", 9))
        assert holders(opened.getsockname()[1]) == ()


def test_a_process_that_cannot_be_seen_is_not_named(tmp_path: Path) -> None:
    _write(tmp_path, "0: 0100007F:0035 00000000:0000 07 0 0 0 0 0 77")
    (found,) = holders(53, tmp_path)
    assert (found.address, found.program, found.pids, found.user) == ("127.0.0.1", "", (), "root")


@pytest.mark.parametrize("line", ["", "0: :", "0: 0100007F:ZZZZ x 07 0 0 0 0 0 7", "0: 01:0035"])
def test_damaged_lines_are_left_out(tmp_path: Path, line: str) -> None:
    _write(tmp_path, line)
    assert holders(53, tmp_path) == ()


def _write(proc: Path, line: str) -> None:
    folder = proc / "thread-self" / "net"
    folder.mkdir(parents=True)
    (folder / "udp").write_text(f"the heading\n{line}\n", encoding="ascii")


def test_a_holder_has_the_name_and_the_unit_of_its_process(tmp_path: Path) -> None:
    _write(tmp_path, "0: 00000000:0035 00000000:0000 07 0 0 0 0 0 77")
    process = tmp_path / "812"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "4").symlink_to("socket:[77]")
    (process / "comm").write_text("dnsmasq\n", encoding="ascii")
    (process / "cmdline").write_bytes(b"/usr/sbin/dnsmasq\0--port=53\0")
    (process / "cgroup").write_text("0::/system.slice/dnsmasq.service\n", encoding="ascii")
    (found,) = holders(53, tmp_path)
    assert (found.pids, found.program, found.unit) == ((812,), "dnsmasq", "dnsmasq.service")
    (process / "cmdline").write_bytes(b"/opt/python3\0-m\0filterd.daemon.main\0")
    assert holders(53, tmp_path)[0].program == "filterd"
    (process / "comm").write_text("systemd-resolve\n", encoding="ascii")
    (process / "cmdline").write_bytes(b"/lib/systemd/systemd-resolved\0")
    assert holders(53, tmp_path)[0].program == "systemd-resolved", "whose name the kernel cuts"


@pytest.mark.parametrize(
    ("held", "wanted", "keeps"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("0.0.0.0", "127.0.0.9", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("::", "127.0.0.1", True),
        ("0.0.0.0", "::1", False),
        ("127.0.0.1", "::", False),
    ],
)
def test_a_holder_keeps_its_own_address_and_a_wildcard(held: str, wanted: str, keeps: bool) -> None:
    assert PortHolder("udp", held, "root").keeps(wanted) is keeps


def test_a_remedy_names_what_is_known() -> None:
    dnsmasq = PortHolder("udp", "0.0.0.0", "root", (812,), "dnsmasq", "dnsmasq.service")
    assert "port=0" in dnsmasq.remedy
    assert "disable --now dnsmasq" in dnsmasq._replace(program="named").remedy
    assert "kill 812" in dnsmasq._replace(program="named", unit="").remedy
    assert "sudo ss" in PortHolder("udp", "0.0.0.0", "root").remedy
