# SPDX-License-Identifier: Apache-2.0
"""Ways past filterd: rules of a firewall, names of other resolvers, a portal in front."""

from __future__ import annotations

import http.server
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import bypass_probes
from filterd.appliance.bypass_probes import (
    DOH_NAMES,
    ForwardRules,
    Way,
    captive_portal,
    doh_names,
    other_resolvers,
)
from filterd.appliance.probe import UnseenError
from filterd.policy.model import Network, Tls, UpstreamServer
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined, look, outcomes
from tests.support.namespaces import namespaces
from tests.support.needs import command
from tests.support.policies import a_policy
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.probe import ExaminedSite
    from tests.support.namespaces import Namespace

SCHOOL = a_policy(networks=(Network("three", "3", cidrs=("192.168.6.0/24",)),))
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
FORWARD_IPV6 = Path("/proc/sys/net/ipv6/conf/all/forwarding")
TWO = """
table inet school {
  chain pre {
    type nat hook prerouting priority dstnat
    meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
}"""


@pytest.fixture
def gateway() -> Iterator[Namespace]:
    command("nft")
    with namespaces("box") as (box,):
        box.run(lambda: FORWARD.write_text("1", encoding="ascii"))
        yield box


@pytest.mark.usefixtures("needs_namespaces")
def test_each_way_that_no_rule_closes_is_found(gateway: Namespace, tmp_path: Path) -> None:
    load = gateway.command("nft", "-f", "-")
    site = examined(tmp_path, policy_or_why=SCHOOL)
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert found.outcome is FOUND
    assert "53/udp, 53/tcp, 853/tcp" in found.text
    subprocess.run(load, input=TWO, text=True, check=True, capture_output=True)
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert found.text.endswith("(ports 853/tcp)")
    gateway.run(lambda: FORWARD_IPV6.write_text("1", encoding="ascii"))
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert found.text.endswith("(ports 853/tcp, 853/tcp IPv6)")


@pytest.mark.parametrize(("drops", "outcome"), [(False, FOUND), (True, UNSEEN)])
def test_a_gateway_that_drops_what_it_does_not_know_is_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drops: bool, outcome: str
) -> None:
    monkeypatch.setattr(bypass_probes, "read", lambda: ForwardRules((), drops))
    assert outcomes(other_resolvers, _machine(tmp_path, "1\n")) == [outcome]


def test_rules_for_all_ways_are_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardRules, "closes", lambda *_: True)
    monkeypatch.setattr(bypass_probes, "read", lambda: ForwardRules((), False))
    assert outcomes(other_resolvers, _machine(tmp_path, "1\n")) == [CLEAN]


def _machine(folder: Path, forwards: str) -> ExaminedSite:
    path = folder / "proc/sys/net/ipv4/ip_forward"
    path.parent.mkdir(parents=True)
    path.write_text(forwards, encoding="ascii")
    return examined(folder, policy_or_why=SCHOOL, root=folder)


def test_beside_the_router_it_is_not_to_be_seen(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match="not the gateway"):
        look(other_resolvers, _machine(tmp_path, "0\n"))


@pytest.mark.parametrize(("open_name", "outcome"), [("", CLEAN), (DOH_NAMES[1], FOUND)])
def test_names_of_other_resolvers(tmp_path: Path, open_name: str, outcome: str) -> None:
    def ask(_: str, *, qname: str, **__: Any) -> dict[str, str]:
        name = b"".join(bytes((len(one),)) + one.encode() for one in open_name.split("."))
        return {"action": "pass" if bytes.fromhex(qname) == name + b"\0" else "nxdomain"}

    assert outcomes(doh_names, examined(tmp_path, policy_or_why=SCHOOL, ask_daemon=ask)) == [
        outcome
    ]


class _Page(http.server.BaseHTTPRequestHandler):
    status = 204

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize(("status", "outcome"), [(204, CLEAN), (200, FOUND), (302, FOUND)])
def test_a_login_page_in_front(tmp_path: Path, status: int, outcome: str) -> None:
    page = type("Page", (_Page,), {"status": status})
    with namespaces("box") as (box,):
        upstream = FakeUpstream()
        box.run(upstream.__enter__)
        upstream.add("connectivitycheck.gstatic.com. 60 IN A 127.0.0.1")
        server = box.run(lambda: http.server.ThreadingHTTPServer(("127.0.0.1", 80), page))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", upstream.port),))
        site = examined(tmp_path, policy_or_why=policy)
        try:
            assert box.run(lambda: outcomes(captive_portal, site)) == [outcome]
        finally:
            server.shutdown()
            server.server_close()
            upstream.__exit__()


@pytest.mark.usefixtures("needs_namespaces")
def test_a_portal_that_drips_its_page_is_waited_for_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bypass_probes, "_WITHIN_S", 0.2)
    with namespaces("box") as (box,):
        upstream = FakeUpstream()
        box.run(upstream.__enter__)
        upstream.add("connectivitycheck.gstatic.com. 60 IN A 127.0.0.1")
        silent = box.run(lambda: socket.create_server(("127.0.0.1", 80)))
        policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", upstream.port),))
        try:
            with pytest.raises(UnseenError, match="no page comes from"):
                box.run(lambda: look(captive_portal, examined(tmp_path, policy_or_why=policy)))
        finally:
            silent.close()
            upstream.__exit__()


def test_by_tls_no_portal_can_alter_an_answer(tmp_path: Path) -> None:
    policy = a_policy(upstreams=(UpstreamServer("192.0.2.53", 853, Tls.STRICT, "dns.example"),))
    with pytest.raises(UnseenError, match="TLS"):
        look(captive_portal, examined(tmp_path, policy_or_why=policy))


UDP, TCP, DOT = Way(4, "udp", 53), Way(4, "tcp", 53), Way(4, "tcp", 853)
TABLE = """
table {family} school {{
  chain one {{
    type {kind} hook {hook} priority 0{policy}
    {rule}
  }}
}}"""


def _read(
    rule: str,
    hook: str = "forward",
    *,
    family: str = "inet",
    kind: str = "filter",
    policy: str = "",
) -> ForwardRules:
    command("nft")
    text = TABLE.format(family=family, kind=kind, hook=hook, policy=policy, rule=rule)
    with namespaces("box") as (box,):
        load = box.command("nft", "-f", "-")
        subprocess.run(load, input=text, text=True, check=True, capture_output=True)
        return box.run(bypass_probes.read)


@pytest.mark.usefixtures("needs_namespaces")
def test_a_rule_closes_its_port_and_protocol() -> None:
    rules = _read("tcp dport { 853, 8853 } reject")
    assert rules.closes(DOT)
    assert not rules.closes(TCP)
    assert not rules.closes(DOT._replace(protocol="udp"))
    assert rules.closes(DOT._replace(version=6))


@pytest.mark.usefixtures("needs_namespaces")
def test_a_rule_for_both_protocols_closes_both() -> None:
    rules = _read("meta l4proto { tcp, udp } th dport 53 redirect to :53", "prerouting", kind="nat")
    assert rules.closes(UDP)
    assert rules.closes(TCP)


@pytest.mark.parametrize(
    ("protocols", "closed"), [([6, 17], {UDP, TCP}), (["tcp"], {TCP}), ([6], {TCP}), (17, {UDP})]
)
def test_protocols_are_names_or_where_the_machine_has_none_numbers(
    protocols: object, closed: set[Way]
) -> None:
    right = {"set": protocols} if isinstance(protocols, list) else protocols
    port = {"payload": {"protocol": "th", "field": "dport"}}
    protocol = {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": right}
    parts = [
        {"match": protocol},
        {"match": {"op": "==", "left": port, "right": 53}},
        {"drop": None},
    ]
    rules = ForwardRules(({"family": "inet", "expr": parts},), drops_others=False)
    assert {way for way in (UDP, TCP) if rules.closes(way)} == closed


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize(
    "rule",
    ["udp dport 53 accept", "udp dport 53 counter", "udp sport 53 drop", "udp dport != 53 drop"],
)
def test_a_rule_that_lets_it_through_closes_nothing(rule: str) -> None:
    assert not _read(rule).closes(UDP)


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize("hook", ["input", "output"])
def test_a_rule_for_this_machine_alone_closes_nothing(hook: str) -> None:
    assert not _read("udp dport 53 drop", hook).closes(UDP)


@pytest.mark.usefixtures("needs_namespaces")
def test_a_rule_for_ipv4_alone_leaves_ipv6_open() -> None:
    rules = _read("udp dport 53 drop", family="ip")
    assert rules.closes(UDP)
    assert not rules.closes(UDP._replace(version=6))


@pytest.mark.usefixtures("needs_namespaces")
def test_a_chain_that_drops_what_no_rule_names() -> None:
    assert _read("", policy="; policy drop").drops_others
    assert not _read("", policy="; policy accept").drops_others


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize("printed", ["", "[]", '{"nftables": [{"rule": {}}]}', None])
def test_what_is_no_listing_is_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str | None
) -> None:
    program = tmp_path / "nft"
    says = "exit 1" if printed is None else f"echo '{printed}'"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UnseenError, match="nft list ruleset"):
        bypass_probes.read()


def test_without_nftables_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bypass_probes, "_PATH", str(tmp_path))
    with pytest.raises(UnseenError, match="not installed"):
        bypass_probes.read()


def test_strange_expressions_close_nothing() -> None:
    strange = [1, {"match": 1}, {"match": {"op": "==", "left": 1, "right": {"set": 1}}}]
    rules = ForwardRules(({"family": "inet", "expr": [*strange, {"drop": None}]},), False)
    assert not rules.closes(UDP)
