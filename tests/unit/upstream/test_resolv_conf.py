# SPDX-License-Identifier: Apache-2.0
"""The servers that the machine itself uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import ListenAddress, Tls, UpstreamServer
from filterd.upstream.resolv_conf import addresses_in, is_own, servers, servers_with
from tests.support.bad_card import bad_pages

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM, FIXED = UpstreamServer("system"), UpstreamServer("192.0.2.53")


def a_file(folder: Path, text: str) -> Path:
    path = folder / "resolv.conf"
    path.write_text(text, encoding="utf-8")
    return path


def addresses(found: tuple[UpstreamServer, ...]) -> list[str]:
    return [server.address for server in found]


def test_system_stands_for_the_servers_of_the_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "# x\nsearch lan\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 \n")
    assert addresses(servers((SYSTEM, FIXED), (), path)) == [
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.53",
    ]


def test_no_more_than_the_c_library_reads(tmp_path: Path) -> None:
    path = a_file(tmp_path, "".join(f"nameserver 192.0.2.{n}\n" for n in range(1, 9)))
    assert len(servers((SYSTEM,), (), path)) == 3


def test_what_is_no_address_is_passed_over(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver\nnameserver dns.example\nnameserver 300.1.1.1\n\xff\n")
    assert servers((SYSTEM,), (), path) == ()


def test_a_scope_is_kept(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver fe80::1%eth0\n")
    assert addresses(servers((SYSTEM,), (), path)) == ["fe80::1%eth0"]


def test_a_scope_that_no_interface_can_have_is_passed_over(tmp_path: Path) -> None:
    path = a_file(tmp_path, f"nameserver fe80::1%{'x' * 10_000}\n")
    assert servers((SYSTEM,), (), path) == ()


def test_the_file_is_read_only_where_the_system_s_servers_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    assert servers((FIXED,), (), path) == (FIXED,)
    assert servers_with((SYSTEM, FIXED), (), ("192.0.2.1",))[0].address == "192.0.2.1"


def test_filterd_never_asks_itself(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver 127.0.0.1\nnameserver 192.0.2.1\n")
    found = servers((SYSTEM,), (ListenAddress("127.0.0.1", 53),), path)
    assert addresses(found) == ["192.0.2.1"]
    elsewhere = servers((SYSTEM,), (ListenAddress("127.0.0.1", 5353),), path)
    assert addresses(elsewhere) == ["127.0.0.1", "192.0.2.1"]


def test_one_server_named_twice_is_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver 192.0.2.53\n")
    assert servers((FIXED, SYSTEM), (), path) == (FIXED,)


def test_an_absent_file_gives_no_servers(tmp_path: Path) -> None:
    assert servers((SYSTEM, FIXED), (), tmp_path / "absent") == (FIXED,)


def test_the_machine_s_servers_are_asked_with_the_settings_of_the_policy(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver 192.0.2.1\n")
    plain = UpstreamServer("system", trusted=True, randomise_case=True)
    by_tls = UpstreamServer("system", 53, Tls.OPPORTUNISTIC, "system")
    assert servers((plain, by_tls), (), path) == (
        UpstreamServer("192.0.2.1", 53, trusted=True, randomise_case=True),
        UpstreamServer("192.0.2.1", 853, Tls.OPPORTUNISTIC),
    )


OWN = {
    "its very address": (UpstreamServer("192.0.2.1"), "192.0.2.1"),
    "loopback, where all is listened on": (UpstreamServer("127.0.0.1"), "0.0.0.0"),
    "loopback by IPv6": (UpstreamServer("::1"), "::"),
    "itself where TLS cannot be had": (
        UpstreamServer("127.0.0.1", 853, Tls.OPPORTUNISTIC),
        "127.0.0.1",
    ),
}
OTHERS = {
    "another port": (UpstreamServer("192.0.2.1", 5353), "192.0.2.1"),
    "elsewhere": (UpstreamServer("192.0.2.1"), "0.0.0.0"),
    "a neighbour that is never asked in clear": (
        UpstreamServer("127.0.0.1", 853, Tls.STRICT),
        "0.0.0.0",
    ),
}


@pytest.mark.parametrize(("server", "listen"), OWN.values(), ids=OWN.keys())
def test_filterd_knows_itself_under_every_address(server: UpstreamServer, listen: str) -> None:
    assert is_own(server, (ListenAddress(listen),))


@pytest.mark.parametrize(("server", "listen"), OTHERS.values(), ids=OTHERS.keys())
def test_others_are_others(server: UpstreamServer, listen: str) -> None:
    assert not is_own(server, (ListenAddress(listen),))


@pytest.mark.usefixtures("needs_fuse")
def test_a_file_that_cannot_be_read_any_more_gives_what_was_read_last(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nameserver 192.0.2.1\n")
    with bad_pages(path, [0], later=True) as card:
        assert addresses_in(path) == ("192.0.2.1",)
        card.spoil()
        assert addresses_in(path) == ("192.0.2.1",)
    with bad_pages(a_file(tmp_path, "nameserver 192.0.2.2\n"), [0]):
        assert addresses_in(path) == ("192.0.2.1",)
    assert addresses_in(path) == ("192.0.2.2",)
    path.unlink()
    assert addresses_in(path) == ()


@pytest.mark.usefixtures("needs_fuse")
def test_one_that_could_never_be_read_gives_no_servers(tmp_path: Path) -> None:
    with bad_pages(path := a_file(tmp_path, "nameserver 192.0.2.1\n"), [0]):
        assert addresses_in(path) == ()
