# SPDX-License-Identifier: Apache-2.0
"""Hearing from the kernel that the network changed."""

from __future__ import annotations

import errno
import select
import socket

import pytest

from filterd.clients import netlink
from filterd.clients.netlink import drain, open_changes


def test_a_socket_hears_nothing_where_nothing_happens() -> None:
    opened = open_changes(netlink.THIS_MACHINE)
    assert opened
    with opened:
        drain(opened)
        assert not select.select([opened], [], [], 0)[0]


def test_where_there_is_no_netlink_changes_are_seen_late(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(socket, "socket", refuse)
    assert open_changes(netlink.NEIGHBOURS) is None
    assert "no such family" in caplog.text


def test_groups_that_do_not_exist_leave_no_socket_open(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "bind", _refuse)
        assert open_changes(1) is None
    assert len(caplog.records) == 1


def _refuse(*_: object) -> None:
    raise OSError(errno.EPERM, "not permitted")


class _Overrun:
    """A socket that the kernel could not keep up with."""

    def __init__(self) -> None:
        self.errors: list[OSError] = [OSError(errno.ENOBUFS, "too much"), BlockingIOError()]

    def recv(self, _: int) -> bytes:
        raise self.errors.pop(0)


def test_an_overrun_is_no_error() -> None:
    drain(_Overrun())  # type: ignore[arg-type]


def test_draining_ends_however_fast_the_kernel_talks() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        for _ in range(10):
            theirs.send(b"x")
        drain(ours)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
