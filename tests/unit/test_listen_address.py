# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket

import pytest

from filterd.errors import ConfigError
from filterd.listen_address import DASHBOARD, bound, parse_listen


def test_an_address_has_a_port() -> None:
    assert parse_listen(DASHBOARD, "") == ("127.0.0.1", 8443)
    assert parse_listen("[::]:443", "") == ("::", 443)


@pytest.mark.parametrize("text", ["", "127.0.0.1", "filterd:443", "127.0.0.1:x", "[::1]:70000"])
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no address with a port \(127.0.0.1:8443"):
        parse_listen(text, DASHBOARD)


@pytest.mark.parametrize("text", ["0.0.0.0:9153", "10.0.0.1:1", "127.0.0.1", "127.0.0.1:99999", ""])
def test_another_one_than_loopback_is_refused_where_it_must_be(text: str) -> None:
    assert parse_listen("[::1]:0", "", is_loopback=True) == ("::1", 0)
    with pytest.raises(ConfigError, match="no loopback address"):
        parse_listen(text, "", is_loopback=True)


def test_a_trial_takes_the_next_port_that_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="Address already in use"):
            bound(listen)
        with bound(listen, 20) as found:
            assert found.getsockname()[1] > listen[1]
