# SPDX-License-Identifier: Apache-2.0
"""The daemon's explanation agrees with its answers: name by grade by type.

``filterd check`` prints the explanation; the DNS answer comes over UDP from the loopback
address of the grade.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd import control
from filterd.wire import name as names
from filterd.wire import type_from_text
from tests.support.daemon import SOURCES, Served, build_lists, free_port, serving, write_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("warm_children")
TYPES = ("A", "AAAA", "HTTPS", "TXT")
QUICK = ("3", "4", "6", "staff")
"""Grades of each way of answering, and without safe search; the others are long tests."""

NAMES = (
    # Listed: locked, by age, and names beneath and above entries.
    *("www.pornhub.com", "pornhub.com", "tiktok.com", "www.tiktok.com", "a.b.c.tiktok.com"),
    *("facebook.com", "www.youtube.com", "netflix.com", "chatgpt.com", "roblox.com"),
    *("store.steampowered.com", "bet365.com", "1xbet.com", "nordvpn.com", "dns.google"),
    *("doubleclick.net", "tinder.com", "reddit.com", "zalo.me", "marlboro.com"),
    # With a twin in safe mode.
    *("www.google.com.vn", "www.bing.com", "m.youtube.com"),
    # Not listed, or guarded.
    *("vnu.edu.vn", "moet.gov.vn", "google.com", "example.org", "com", "nobody.example"),
    # The school's own rules.
    *("allowed.example", "beneath.allowed.example", "blocked.example", "for-five.example"),
    # Aliases of the upstream's.
    *("alias-of-tiktok.example", "alias-of-locked.example", "alias-of-vnu.example"),
    # The school's own zones.
    *("printer.school.home.arpa", "none.school.home.arpa", "school.home.arpa"),
    # Special names.
    *("localhost", "x.localhost", "printer.invalid", "host.onion", "wpad", "printer"),
    *("use-application-dns.net", "1.1.168.192.in-addr.arpa", "_dns.resolver.arpa"),
)

MORE = """
exceptions:
  - {allow: allowed.example, reason: vì thế}
  - {block: blocked.example, reason: vì thế}
  - {block: for-five.example, for: {grade: 5}, reason: vì thế}
  - {allow: roblox.com, for: {tier: primary}, reason: vì thế}
local_zones:
  - {name: school.home.arpa, records: ['@ A 198.18.0.10', 'printer A 198.18.0.20']}
grades:
  4: {block_response: nodata}
  6: {block_response: sinkhole}
"""

DATA = {"A": "198.18.0.1", "AAAA": "2001:2::1", "HTTPS": "1 .", "TXT": '"text"'}
ALIASES = {
    "alias-of-tiktok.example.": "www.tiktok.com.",
    "alias-of-locked.example.": "www.pornhub.com.",
    "alias-of-vnu.example.": "vnu.edu.vn.",
}
ADDRESSES = {"A", "AAAA"}
BLOCKING_EDES = {dns.edns.EDECode.BLOCKED, dns.edns.EDECode.FILTERED, dns.edns.EDECode.CENSORED}


def _respond(query: dns.message.Message) -> dns.message.Message:
    """Give every name that is asked for one record of each type."""
    question = query.question[0]
    response = dns.message.make_response(query, recursion_available=True)
    owner, rtype = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
    if owner in ALIASES:
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", ALIASES[owner]))
        owner = ALIASES[owner]
    response.answer.append(dns.rrset.from_text(owner, 60, "IN", rtype, DATA[rtype]))
    return response


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("agreement")
    with FakeUpstream(respond=_respond) as upstream:
        config = write_site(folder / "site", port=free_port(), upstream=upstream.port, more=MORE)
        build_lists(config, folder / "state")
        with serving(config, folder / "state") as served:
            yield served


def _explained(served: Served, name: str, rtype: str, address: str) -> dict[str, Any]:
    answer = control.ask(
        served.state.control_socket,
        "check",
        qname=names.from_text(name).hex(),
        qtype=type_from_text(rtype),
        grade=None,
        client=address,
        at=None,
    )
    assert isinstance(answer, dict)
    return answer


def _answered(stub: socket.socket, name: str, rtype: str) -> dns.message.Message:
    query = dns.message.make_query(name, rtype, use_edns=True)
    stub.send(query.to_wire())
    response = dns.message.from_wire(stub.recv(4096))
    assert response.id == query.id
    return response


def _outcome(response: dns.message.Message, rtype: str) -> str:
    """Return the action that this answer shows.

    A sinkhole has addresses only, and so has localhost, which passes.
    """
    edes = {option.code for option in response.options if isinstance(option, dns.edns.EDEOption)}
    data = {rdata.to_text() for rrset in response.answer for rdata in rrset}
    if response.rcode() == dns.rcode.NXDOMAIN:
        return "nxdomain"
    assert response.rcode() == dns.rcode.NOERROR
    if dns.edns.EDECode.FORGED_ANSWER in edes:
        return "rewrite"
    if data and data <= {"0.0.0.0", "::"}:
        return "sinkhole"
    if edes & BLOCKING_EDES:
        return "nodata or sinkhole" if rtype not in ADDRESSES else "nodata"
    if not data:
        return "nodata or pass" if rtype not in ADDRESSES else "nodata"
    return "pass"


@pytest.mark.parametrize(
    "grade",
    [one if one in QUICK else pytest.param(one, marks=pytest.mark.long) for one in SOURCES],
)
def test_the_explanation_is_what_the_socket_answers(served: Served, grade: str) -> None:
    port = int(served.log[-1].rpartition(" ")[2])
    actions = set()
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind((SOURCES[grade], 0))
        stub.settimeout(10)
        stub.connect(("127.0.0.1", port))
        for name in NAMES:
            for rtype in TYPES:
                explanation = _explained(served, name, rtype, SOURCES[grade])
                assert (explanation["grade"], explanation["source"]) == (grade, "daemon")
                outcome = _outcome(_answered(stub, name, rtype), rtype)
                assert explanation["action"] in outcome, (name, rtype, explanation)
                actions.add(explanation["action"])
    assert {"pass", "nxdomain", "nodata"} <= actions
    assert ("sinkhole" in actions) == (grade == "6")
    assert ("rewrite" in actions) == (grade != "staff")


def test_the_grades_differ_as_a_school_expects(served: Served) -> None:
    def action(name: str, grade: str) -> str:
        explanation = _explained(served, name, "A", SOURCES[grade])
        return str(explanation["action"])

    assert [action("www.tiktok.com", grade) for grade in ("1", "4", "6", "11", "staff")] == [
        "nxdomain",
        "nodata",
        "sinkhole",
        "pass",
        "pass",
    ]
    assert action("www.pornhub.com", "staff") == "nxdomain"
    assert [action("for-five.example", grade) for grade in ("4", "5")] == ["pass", "nxdomain"]
    # Not NXDOMAIN: that would also deny names beneath an alias, without a reason.
    aliases = [action("alias-of-tiktok.example", grade) for grade in ("1", "6", "11")]
    assert aliases == ["nodata", "sinkhole", "pass"]
    assert action("alias-of-locked.example", "staff") == "nodata"
