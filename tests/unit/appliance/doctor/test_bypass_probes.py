# SPDX-License-Identifier: Apache-2.0
"""Ways past filterd: rules of a firewall, names of other resolvers, a portal in front."""

from __future__ import annotations

import asyncio
import http.server
import socket
import subprocess
import threading
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import local_network
from filterd.appliance.doctor import bypass_probes
from filterd.appliance.doctor.bypass_probes import (
    DOH_NAMES,
    captive_portal,
    doh_names,
    link_passages,
    other_resolvers,
    pupils_links,
)
from filterd.appliance.doctor.firewall_rules import Firewall, Passage
from filterd.appliance.doctor.probe import UnseenError
from filterd.appliance.local_network import NetworkInterface
from filterd.clients.interfaces import Links, Prefix
from filterd.gateway.firewall import ruleset
from filterd.policy.model import Network, Tls, UpstreamServer
from tests.support.examined import CLEAN, FOUND, NETWORK, UNSEEN, examined, look, outcomes
from tests.support.namespaces import namespaces
from tests.support.needs import command
from tests.support.policies import a_policy
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.doctor.probe import ExaminedSite
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
    assert "53/udp, 53/tcp, 853/tcp" in str(found.text)
    subprocess.run(load, input=TWO, text=True, check=True, capture_output=True)
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert str(found.text).endswith("(853/tcp)")
    gateway.run(lambda: FORWARD_IPV6.write_text("1", encoding="ascii"))
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert str(found.text).endswith("(853/tcp, 853/tcp IPv6)")


FOUR = ("lan0", "lan1", "lan2", "lan3")
ON_ONE = """
table inet school {
  chain pre {
    type nat hook prerouting priority dstnat
    LINKS meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
  chain past {
    type filter hook forward priority 0
    LINKS tcp dport 853 reject
  }
}"""


def _of_four(gateway: Namespace, folder: Path) -> ExaminedSite:
    """Return a site with four links of pupils, as its machine shows them."""
    for number, name in enumerate(FOUR):
        gateway.ip(f"link add {name} type veth peer name far{number}")
        gateway.ip(f"link set far{number} up")
        gateway.ip(f"address add 10.8.{number}.1/24 dev {name}")
        gateway.ip(f"link set {name} up")
    network = gateway.run(lambda: asyncio.run(local_network.look(lan_interfaces=FOUR)))
    return examined(folder, policy_or_why=SCHOOL, network_or_why=network)


@pytest.mark.usefixtures("needs_namespaces")
def test_a_firewall_on_one_of_four_links_leaves_three_open(
    gateway: Namespace, tmp_path: Path
) -> None:
    site = _of_four(gateway, tmp_path)
    load = gateway.command("nft", "-f", "-")
    rules = ON_ONE.replace("LINKS", 'iifname "lan2"')
    subprocess.run(load, input=rules, text=True, check=True, capture_output=True)
    (found,) = gateway.run(lambda: look(other_resolvers, site))
    assert found.outcome is FOUND
    assert "on 3 of 4 links" in str(found.text)
    assert "lan2" not in str(found.text)
    passages = gateway.run(lambda: link_passages(site))
    assert passages == {"lan0": "open", "lan1": "open", "lan2": "closed", "lan3": "open"}


@pytest.mark.control
@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize("links", ['iifname { "lan0", "lan1", "lan2", "lan3" }', 'iifname "lan*"'])
def test_control_rules_for_all_four_are_clean(
    gateway: Namespace, tmp_path: Path, links: str
) -> None:
    site = _of_four(gateway, tmp_path)
    load = gateway.command("nft", "-f", "-")
    rules = ON_ONE.replace("LINKS", links)
    subprocess.run(load, input=rules, text=True, check=True, capture_output=True)
    assert gateway.run(lambda: outcomes(other_resolvers, site)) == [CLEAN]


@pytest.mark.usefixtures("needs_namespaces")
def test_the_firewall_of_filterd_closes_each_link(gateway: Namespace, tmp_path: Path) -> None:
    site = _of_four(gateway, tmp_path)
    gateway.run(lambda: FORWARD_IPV6.write_text("1", encoding="ascii"))
    assert set(gateway.run(lambda: link_passages(site)).values()) == {"open"}
    load, rules = gateway.command("nft", "-f", "-"), ruleset.text(ruleset.plan_of(SCHOOL, ["wan"]))
    subprocess.run(load, input=rules, text=True, check=True, capture_output=True)
    assert gateway.run(lambda: link_passages(site)) == dict.fromkeys(FOUR, "closed")


@pytest.mark.parametrize(
    ("passage", "outcome"),
    [(Passage.OPEN, FOUND), (Passage.UNSURE, UNSEEN), (Passage.CLOSED, CLEAN)],
)
def test_each_passage_has_its_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passage: Passage, outcome: str
) -> None:
    monkeypatch.setattr(bypass_probes, "read", lambda *_: Firewall([]))
    monkeypatch.setattr(Firewall, "passage", lambda *_: passage)
    assert outcomes(other_resolvers, _machine(tmp_path, "1\n")) == [outcome]


def test_a_link_of_the_staff_alone_is_no_pupils_link() -> None:
    staff = Network("office", "staff", cidrs=("10.8.1.0/24",))
    policy = a_policy(networks=(*SCHOOL.networks, staff))
    links = Links(
        lan=(Prefix(ip_network("10.8.0.0/24"), "lan0"), Prefix(ip_network("10.8.1.0/24"), "lan1"))
    )
    up = tuple(NetworkInterface(one, "", True, ()) for one in ("lan0", "lan1"))
    network = NETWORK._replace(interfaces=up, links=links)
    assert [link.name for link in pupils_links(network, policy)] == ["lan0"]
    assert [link.name for link in pupils_links(NETWORK, policy)] == [""]


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
