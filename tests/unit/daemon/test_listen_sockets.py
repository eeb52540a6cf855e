# SPDX-License-Identifier: Apache-2.0
"""All addresses are bound, or none."""

from __future__ import annotations

import socket

import pytest

from filterd.daemon.listen_sockets import listen_on
from filterd.errors import ConfigError
from filterd.policy.model import ListenAddress


def _close(*opened: socket.socket) -> None:
    for one in opened:
        one.close()


def test_an_address_has_both_transports_on_one_port() -> None:
    (listening,) = listen_on([ListenAddress("127.0.0.1", 0)])
    assert listening.udp.type == socket.SOCK_DGRAM
    assert listening.tcp.getsockname() == ("127.0.0.1", listening.port)
    _close(*listening)


def test_where_one_cannot_be_bound_none_stays_open() -> None:
    (taken,) = listen_on([ListenAddress("127.0.0.1", 0)])
    with pytest.raises(ConfigError, match="Address already in use"):
        listen_on([ListenAddress("::1", 0), ListenAddress("127.0.0.1", taken.port)])
    _close(*taken)  # and the warning of an unclosed socket would fail this test


def test_an_address_that_is_not_there_is_listened_on_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (listening,) = listen_on([ListenAddress("203.0.113.9", 0)])
    _close(*listening)
    assert "this machine has no address 203.0.113.9 now" in caplog.text


def test_control_an_address_that_is_there_is_not(caplog: pytest.LogCaptureFixture) -> None:
    (listening,) = listen_on([ListenAddress("127.0.0.1", 0)])
    _close(*listening)
    assert caplog.text == ""
