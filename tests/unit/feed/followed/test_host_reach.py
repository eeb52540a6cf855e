# SPDX-License-Identifier: Apache-2.0
"""A night without DNS, or without a way out, is over after one look at all servers."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import FetchError, ForeignContentError
from filterd.feed.followed.host_reach import AGAIN_S, HostReach
from filterd.http.http_download import RequestPolicy
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP = RequestPolicy(frozenset({"http"}))
REFUSED = "http://127.0.0.1:1/list.txt"
AWAY = [f"http://list{number}.example/list.txt" for number in range(9)]


@pytest.fixture
def here() -> Iterator[str]:
    """Return the address of a server that takes connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/list.txt"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have no name resolved until the test ends; return those that were asked for."""
    asked, over, resolve = list[str](), threading.Event(), socket.getaddrinfo

    def unanswered(host: str, *rest: Any, **how: Any) -> Any:
        if host[0].isdigit():
            return resolve(host, *rest, **how)
        asked.append(host)
        over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unanswered)
    yield asked
    over.set()


def _unreached() -> FetchError:
    error = FetchError(say("it is away"))
    error.is_unreached = True
    return error


def _fails(reach: HostReach, address: str, error: FetchError) -> None:
    with pytest.raises(FetchError) as failed, reach.noting(address):
        raise error
    assert failed.value is error


def test_one_server_that_takes_a_connection_is_enough(here: str, silent: list[str]) -> None:
    reach = HostReach([here, REFUSED, *AWAY], HTTP, SystemClock())
    with reach.noting(here):
        pass
    with reach.noting(AWAY[0]):
        pass
    assert len(silent) == len(AWAY)


@pytest.mark.parametrize("addresses", [AWAY, [REFUSED]])
def test_where_none_does_no_request_is_made(addresses: list[str], silent: list[str]) -> None:
    reach = HostReach(addresses, HTTP, SystemClock(), within_s=0.05)
    for _ in range(2):
        for address in addresses:
            with (
                pytest.raises(FetchError, match="none of the servers can be reached"),
                reach.noting(address),
            ):
                pytest.fail("it was asked")
    assert len(silent) <= len(AWAY)


def test_control_without_the_look_each_name_is_waited_for(silent: list[str]) -> None:
    reach = HostReach([], HTTP, SystemClock())  # as where one source is asked by itself
    asked = list[str]()
    for address in AWAY:
        with reach.noting(address):
            asked.append(address)
    assert asked == AWAY
    assert silent == []


def test_after_a_request_that_did_not_come_about_all_are_looked_for_again(
    silent: list[str],
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        here = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        reach = HostReach([here, *AWAY], HTTP, SystemClock(), within_s=0.05)
        _fails(reach, AWAY[0], _unreached())
    silent.clear()
    with pytest.raises(FetchError, match="none of the servers"), reach.noting(AWAY[1]):
        pytest.fail("it was asked")
    assert len(silent) == len(AWAY)


def test_a_server_that_is_not_reached_twice_is_left_for_a_later_run(here: str) -> None:
    reach = HostReach([here, REFUSED], HTTP, FakeClock())
    for _ in range(2):
        _fails(reach, REFUSED, _unreached())
    with (
        pytest.raises(FetchError, match="it could not be reached before") as failed,
        reach.noting(REFUSED),
    ):
        pytest.fail("it was asked")
    assert failed.value.retry_after_s == AGAIN_S
    with reach.noting(here):
        pass


def test_a_failure_of_a_file_is_none_of_its_server(here: str) -> None:
    reach = HostReach([here, REFUSED], HTTP, FakeClock())
    for error in (_unreached(), ForeignContentError(say("a page"))) * 4:
        _fails(reach, REFUSED, error)


def test_an_address_that_is_not_public_is_left_for_its_request_to_judge(here: str) -> None:
    public = RequestPolicy(frozenset({"http"}), is_public_only=True)
    with HostReach([here], public, FakeClock()).noting(here):
        pass


def test_a_host_that_is_no_name_is_not_reached() -> None:
    odd = f"http://{'a' * 64}.example/x"
    with (
        pytest.raises(FetchError, match="none of the servers"),
        HostReach([odd], HTTP, SystemClock()).noting(odd),
    ):
        pytest.fail("it was asked")
