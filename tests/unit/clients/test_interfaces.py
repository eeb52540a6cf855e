# SPDX-License-Identifier: Apache-2.0
"""This machine's addresses, and which links are of the school's side."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from filterd.clients import interfaces
from filterd.clients.interfaces import IpCommand, Links, parse
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path


def _link(name: str, *addresses: str) -> dict[str, Any]:
    infos = []
    for address in addresses:
        local, _, length = address.partition("/")
        infos.append({"local": local, "prefixlen": int(length), "scope": "global"})
    return {"ifname": name, "flags": ["UP"], "addr_info": infos}


LOOPBACK = _link("lo", "127.0.0.1/8", "::1/128")
WAN = _link("wan0", "203.0.113.5/24", "2001:db8:f::5/64", "fe80::5/64")
LAN = _link("lan0", "192.168.6.1/24", "2001:db8:6::1/64", "fe80::1/64")
PUBLIC_LAN = _link("lan1", "198.51.100.1/24", "fe80::1/64")
OUT = [{"dst": "default", "gateway": "203.0.113.1", "dev": "wan0"}]


def _lan(links: Links) -> set[str]:
    return {prefix.interface for prefix in links.lan}


def test_the_side_of_the_school_is_private_or_leads_nowhere() -> None:
    links = parse([LOOPBACK, WAN, LAN, PUBLIC_LAN], OUT)
    assert _lan(links) == {"lan0", "lan1"}


def test_a_machine_beside_the_router_serves_its_only_link() -> None:
    only = _link("eth0", "192.168.1.9/24", "2001:db8:1::9/64")
    links = parse([LOOPBACK, only], [{"dst": "default", "gateway": "192.168.1.1", "dev": "eth0"}])
    assert [str(prefix.network) for prefix in links.lan] == ["192.168.1.0/24", "2001:db8:1::/64"]


def test_what_the_site_names_counts_alone() -> None:
    assert _lan(parse([LOOPBACK, WAN, LAN, PUBLIC_LAN], OUT, ("lan1",))) == {"lan1"}


def test_a_route_by_several_ways_leads_through_all_of_them() -> None:
    hops = [{"gateway": "a", "dev": "wan0"}, {"gateway": "b", "dev": "lan1"}]
    assert _lan(parse([WAN, PUBLIC_LAN], [{"dst": "default", "nexthops": hops}])) == set()


def test_loopback_is_no_link_but_its_addresses_are_this_machines() -> None:
    links = parse([LOOPBACK], [])
    assert links.lan == ()
    assert ip_address("::1") in links.own


def test_the_other_end_of_a_tunnel_is_what_is_connected() -> None:
    tunnel = _link("tun0", "10.8.0.1/32")
    tunnel["addr_info"][0]["address"] = "10.8.0.2"
    links = parse([tunnel], OUT)
    assert links.link_of(ip_address("10.8.0.2"), "tun0") == "tun0"
    assert links.own == {ip_address("10.8.0.1")}


@pytest.mark.parametrize(
    ("address", "interface", "link"),
    [
        ("192.168.6.20", "lan0", "lan0"),
        ("192.168.6.20", "", "lan0"),
        ("192.168.6.20", "lan1", None),
        ("192.168.6.20", "wan0", None),
        ("2001:db8:6::20", "lan0", "lan0"),
        ("2001:db8:f::20", "wan0", None),
        ("192.168.7.20", "lan0", None),
        # a link-local address is on every link: only its interface tells
        ("fe80::20", "lan0", "lan0"),
        ("fe80::20", "lan1", "lan1"),
        ("fe80::20", "wan0", None),
        ("fe80::20", "", None),
    ],
)
def test_an_address_is_on_the_link_that_it_came_by(
    address: str, interface: str, link: str | None
) -> None:
    links = parse([LOOPBACK, WAN, LAN, PUBLIC_LAN], OUT)
    assert links.link_of(ip_address(address), interface) == link


_anything: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text() | st.lists(st.integers() | st.just({"local": []}))
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["ifname", "addr_info", "dev", "nexthops"]), _anything)
    )
)
def test_nothing_that_is_printed_is_an_error(printed: list[dict[str, Any]]) -> None:
    assert isinstance(parse(printed, printed), Links)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner(loop_factory=request.param) as opened:
        yield opened


def _program(folder: Path, script: str) -> str:
    path = folder / "ip"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_real_table_contains_loopback(runner: asyncio.Runner) -> None:
    command("ip")
    links = runner.run(IpCommand().ask("address", "show"))
    assert links
    assert "lo" in [link["ifname"] for link in links]


def test_the_real_one_knows_the_questions_that_are_asked(runner: asyncio.Runner) -> None:
    command("ip")
    for family in ("-4", "-6"):
        ask = IpCommand().ask(family, "route", "show", "default", "table", "all")
        assert runner.run(ask) is not None
    assert runner.run(IpCommand().ask("neigh", "show")) is not None


def test_nothing_printed_is_an_empty_list(tmp_path: Path, runner: asyncio.Runner) -> None:
    assert runner.run(IpCommand(_program(tmp_path, ":")).ask("x")) == []


def test_empty_objects_are_left_out(tmp_path: Path, runner: asyncio.Runner) -> None:
    program = _program(tmp_path, """echo '[{},{"a":1},7]'""")
    assert runner.run(IpCommand(program).ask("x")) == [{"a": 1}]


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo '[{'",
        "head -c 100000 /dev/zero | tr '\\0' '['",
        "exec sleep 600",
        "exec cat /dev/zero",
        "kill -9 $$",
    ],
)
def test_whatever_goes_wrong_is_one_warning(
    tmp_path: Path,
    script: str,
    runner: asyncio.Runner,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interfaces, "_WITHIN_S", 0.2)
    ip = IpCommand(_program(tmp_path, script))
    for _ in range(2):
        assert runner.run(ip.ask("neigh", "show")) is None
    (warning,) = caplog.records
    assert "install iproute2" in warning.getMessage()
    assert "\n" not in warning.getMessage()


def test_a_missing_program_is_one_warning(
    runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    ip = IpCommand("/nowhere/ip")
    for _ in range(2):
        assert runner.run(ip.ask("neigh", "show")) is None
    assert len(caplog.records) == 1


def test_after_a_good_answer_the_next_trouble_is_reported_again(
    tmp_path: Path, runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    ip = IpCommand(_program(tmp_path, "exit $1"))
    for argument in ("1", "0", "1"):
        _program(tmp_path, f"exit {argument}")
        runner.run(ip.ask())
    assert len(caplog.records) == 2
