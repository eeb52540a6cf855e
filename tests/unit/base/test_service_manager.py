# SPDX-License-Identifier: Apache-2.0
"""The service manager hears of a state by one datagram, if there is one that listens."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from filterd.base import service_manager as module
from filterd.base.service_manager import (
    READY,
    WATCHDOG,
    forget_sockets,
    named_sockets,
    notify,
    passed_sockets,
    store_sockets,
    watchdog_interval_s,
)
from tests.support.descriptor_store import DescriptorStore
from tests.support.unix_sockets import bind

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_gets_one_datagram(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool
) -> None:
    name = f"@filterd-{tmp_path.name}-{id(tmp_path)}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        bind(systemd, name.replace("@", "\0") if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify(READY, WATCHDOG)
        assert systemd.recv(100) == b"READY=1\nWATCHDOG=1"


def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)


def test_one_that_went_away_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify(READY)
    assert "cannot be notified: No such file" in caplog.text


@pytest.mark.parametrize(
    ("value", "interval_s"), [("30000000", 30.0), ("0", None), ("x", None), (None, None)]
)
def test_the_interval_is_in_microseconds(
    value: str | None, interval_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    if value is not None:
        monkeypatch.setenv("WATCHDOG_USEC", value)
    assert watchdog_interval_s() == interval_s


def test_sockets_are_taken_by_the_process_they_are_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setattr(module, "_FIRST_SOCKET", listening.fileno())
        for pid, number, found in ((1, "1", 0), (os.getpid(), "x", 0), (os.getpid(), "1", 1)):
            monkeypatch.setenv("LISTEN_PID", str(pid))
            monkeypatch.setenv("LISTEN_FDS", number)
            taken = passed_sockets()
            assert [one.detach() for one in taken] == [listening.fileno()] * found
        assert passed_sockets() == []


def test_sockets_have_the_names_that_they_are_passed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        monkeypatch.setattr(module, "_FIRST_SOCKET", one.fileno())
        for names, name in (("dns", "dns"), ("", ""), ("dns:more", "dns")):
            for key, value in (("PID", os.getpid()), ("FDS", 1), ("FDNAMES", names)):
                monkeypatch.setenv(f"LISTEN_{key}", str(value))
            assert [(found, taken.detach()) for found, taken in named_sockets()] == [
                (name, one.fileno())
            ]


def test_what_is_no_socket_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        monkeypatch.setattr(module, "_FIRST_SOCKET", file.fileno())
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        assert named_sockets() == []


def test_stored_sockets_are_not_watched_and_not_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, DescriptorStore(tmp_path) as store:
        monkeypatch.setenv("NOTIFY_SOCKET", str(store.path))
        store_sockets("dns", [one] * 300)
        forget_sockets("other")
        notify(READY)
        store.read_until(READY)  # it stores only what comes with FDPOLL=0
        assert [name for name, _ in store.kept] == ["dns"]
        forget_sockets("dns")
        store_sockets("dns", [])
        notify(READY)
        store.read_until(READY)
        assert store.kept == []
