# SPDX-License-Identifier: Apache-2.0
"""Which process has a port: real sockets, and tables as the kernel writes them."""

from __future__ import annotations

import os
import pwd
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.port_holder import PortHolder, port_holder

if TYPE_CHECKING:
    from pathlib import Path

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
RESOLVED = (
    "  1: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 {uid} 0 {inode}\n"
)


@pytest.mark.parametrize("kind", [UDP, TCP])
@pytest.mark.parametrize(
    ("family", "bound", "asked"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0", "127.0.0.9"),
        (socket.AF_INET, "127.0.0.1", "0.0.0.0"),
        (socket.AF_INET6, "::1", "::1"),
    ],
)
def test_the_holder_of_a_port_is_this_process(
    kind: socket.SocketKind, family: int, bound: str, asked: str
) -> None:
    with socket.socket(family, kind) as opened:
        opened.bind((bound, 0))
        if kind == TCP:
            opened.listen()
        found = port_holder(asked, opened.getsockname()[1], kind)
    assert found is not None
    assert found.pid == os.getpid()
    assert found.program
    assert found.user == pwd.getpwuid(os.getuid()).pw_name


def test_another_address_of_the_port_is_free() -> None:
    with socket.socket(type=UDP) as opened:
        opened.bind(("127.0.0.1", 0))
        assert port_holder("127.0.0.2", opened.getsockname()[1], UDP) is None


def proc_with(tmp_path: Path, *, program: str, cmdline: bytes, uid: int = 0) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/udp").write_text(HEADER + RESOLVED.format(uid=uid, inode=815))
    (tmp_path / "312/fd").mkdir(parents=True)
    (tmp_path / "312/fd/13").symlink_to("socket:[815]")
    (tmp_path / "312/comm").write_text(f"{program}\n")
    (tmp_path / "312/cmdline").write_bytes(cmdline)
    return tmp_path


@pytest.mark.parametrize(
    ("comm", "cmdline", "program"),
    [
        ("systemd-resolve", b"/lib/systemd/systemd-resolved\0", "systemd-resolved"),
        ("dnsmasq", b"", "dnsmasq"),
        ("avahi-daemon", b"avahi-daemon: running [pi.local]\0", "avahi-daemon"),
        ("python3", b"/usr/bin/python3\0-m\0filterd.daemon.main\0/etc/filterd\0", "filterd"),
    ],
)
def test_programs_have_the_names_that_people_know(
    tmp_path: Path, comm: str, cmdline: bytes, program: str
) -> None:
    proc = proc_with(tmp_path, program=comm, cmdline=cmdline)
    assert port_holder("127.0.0.53", 53, UDP, proc) == PortHolder(312, program, "root")


def test_of_a_process_of_somebody_else_the_user_is_known(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, program="dnsmasq", cmdline=b"", uid=4_000_000)
    (proc / "312/fd/13").unlink()
    assert port_holder("0.0.0.0", 53, UDP, proc) == PortHolder(user="4000000")


def test_without_the_tables_nobody_is_known(tmp_path: Path) -> None:
    assert port_holder("127.0.0.1", 53, UDP, tmp_path) is None
