# SPDX-License-Identifier: Apache-2.0
"""Probe the service: site, lists, release, sinkholes, and lookups by device.

Most is read from what its daemon and its feed report. An address that a sinkhole leads to is
connected to. Its port 80 must have the page for pupils. Its port 443 must refuse a connection by
RST: a listener makes browsers warn of a certificate, and silence makes them wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING

from filterd.appliance.doctor.probe import ProbeFinding, clean, found, unseen
from filterd.appliance.releases import Releases
from filterd.base.addresses import LOOPBACK_OF
from filterd.base.errors import ConfigErrors, from_plain
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import TROUBLED, judge
from filterd.base.protection_line import (
    JudgedProtection,
    LineState,
    ProtectionLine,
    ProtectionSubject,
)
from filterd.policy.model import BlockResponse
from filterd.texts import counted, i18n
from filterd.texts.i18n import Sentence, say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from filterd.appliance.doctor.probe import ExaminedSite
    from filterd.policy.model import Policy

LISTS = (ProtectionSubject.LISTS, ProtectionSubject.STARTER, ProtectionSubject.FEED)
RECORDS = (ProtectionSubject.PAUSE, ProtectionSubject.HISTORY, ProtectionSubject.BACKUP)
LEAST_ANSWERS = 500
"""Of a school at work; a box on a desk has fewer, from one device."""
_MOST_PROBLEMS = 20
_HANDSHAKE_WITHIN_S = 5.0
_COMPILED_WITHIN_S = 15.0
"""The daemon compiles the site's files to check their expectations."""


def site(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe the site's files, their expectations, and what the daemon could not do."""
    if isinstance(site.policy_or_why, Sentence):
        yield found(
            site.policy_or_why, say("correct it; if there is no site.yaml yet: sudo filterd setup")
        )
        return
    if not site.is_running:
        yield clean(say("the site's files are in order"))
        return
    status = site.status
    problems = [from_plain(one).sentence for one in status["doubts"]]
    problems += map(i18n.from_plain, status.get("changes", {}).get("problems", ()))
    log = status["log"]
    if log["problem"]:
        problems.append(i18n.from_plain(log.get("sentence", log["problem"])))
    try:
        unmet = site.ask("expectations", silence_s=_COMPILED_WITHIN_S)["unmet"]
        problems += (i18n.from_plain(one["sentence"]) for one in unmet)
    except ConfigErrors as wrong:
        problems += (error.sentence for error in wrong.errors)
    for problem in list(dict.fromkeys(problems))[:_MOST_PROBLEMS]:
        yield found(problem, say("correct it, then: filterd policy validate; filterd reload"))
    if not problems:
        yield clean(say("the site's files and its expectations are in order"))


async def tls(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a device can ask by TLS: a handshake, and what the daemon reports."""
    state = site.status.get("tls")
    if not state:
        return [clean(say("devices are not served by TLS here: `listen_tls` in site.yaml"))]
    restart = say("do so, then: sudo systemctl restart filterd")
    if state["problem"]:
        return [found(i18n.from_plain(state["problem"]), restart)]
    at = state["listen"][0]
    address = LOOPBACK_OF.get(at["address"], at["address"])
    if not await _is_by_tls(address, at["port"]):
        text = say("no handshake on {address} port {port}", address=address, port=at["port"])
        return [found(text, say("see journalctl -u filterd; then: sudo systemctl restart filterd"))]
    n = state["connections"]
    return [clean(say_n("{n} connection is open", "{n} connections are open", n))]


async def _is_by_tls(address: str, port: int) -> bool:
    """Return whether a server makes handshakes, with any certificate, as phones do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_HANDSHAKE_WITHIN_S):
            _, writer = await asyncio.open_connection(address, port, ssl=context)
    except OSError:  # also a timeout, or no TLS
        return False
    writer.transport.abort()
    return True


def lists(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether a feed or public lists are followed, and how old they are."""
    row, status = site.feed, site.status
    if not row:
        yield unseen(say("the state of the feed cannot be read"), say("run it again with sudo"))
        return
    judged = judged_protection({**status, "feed": row}).of(*LISTS)
    for line in judged.short:
        if line.alert == TROUBLED and row["problem"]:
            why = i18n.from_plain(row["sentence"] or row["problem"])
            yield found(why, say("see what to do: filterd feed status; then: filterd sync"))
        else:
            yield short_of(line)
    if judged.is_whole:
        yield clean(
            say(
                "{names} on {lists}",
                names=counted.names(status["names"]),
                lists=counted.lists(status["lists"]),
            )
        )


def judged_protection(status: Mapping[str, Any]) -> JudgedProtection:
    """Return the judgement that every face shows, by the status of the daemon."""
    return judge(ProtectionFacts.of(status))


def short_of(line: ProtectionLine) -> ProbeFinding:
    """Return a line of the judgement that lowers the level as a finding."""
    items = ", ".join(line.items)
    what = line.sentence
    return found(say("{what}: {items}", what=what, items=items) if items else what, line.remedy)


def release(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether the release in service is the one that dpkg unpacked last."""
    releases = Releases(site.root)
    serving, newest = releases.in_service, releases.installed
    if not serving:
        yield unseen(say("filterd is not installed as a package here"))
    elif newest != serving:
        yield found(
            say("release {name} serves, and the package installed last is another", name=serving),
            say("why: filterd update; the next good release corrects it by itself"),
        )
    else:
        yield clean(say("release {name} serves", name=serving))


def records(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Tell how pauses, the history and the nightly backup stand."""
    judged = judged_protection(site.status).of(*RECORDS)
    for line in judged.lines:
        if line.state is LineState.GOOD:
            yield clean(line.sentence)
        elif line.state is LineState.UNSEEN:
            yield unseen(line.sentence, line.remedy)


def one_address(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether lookups come from many devices, or from one in front of them.

    A router that answers DNS itself, a domain controller or an access point with NAT asks in the
    name of all: then every device is of its grade. The kernel's neighbours are those that have
    asked lately.
    """
    total = sum(site.status["answers"].values())
    links = {prefix.interface for prefix in site.network.links.lan}
    seen = {
        neighbour.mac: neighbour
        for neighbour in site.network.neighbours
        if neighbour.interface in links
    }
    if total < LEAST_ANSWERS:
        yield unseen(say("fewer than {n} lookups have come so far", n=LEAST_ANSWERS))
    elif len(seen) > 1:
        yield clean(say("{devices} are seen", devices=counted.devices(len(seen))))
    elif seen:
        (only,) = seen.values()
        yield found(
            say(
                "{n} lookups have come, and {address} is the only device seen",
                n=counted.number(total),
                address=only.address,
            ),
            say(
                "have DHCP hand out this machine itself as DNS; switch NAT off in access points;"
                " for a Windows domain, name its controller under delegated_zones in site.yaml"
            ),
        )
    else:
        yield unseen(say("no device of the school's side is seen"))


HTTP_PORT, HTTPS_PORT = 80, 443
_WITHIN_S = 3.0
_REQUEST = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
_MARK = b"Content-Security-Policy"


async def sinkholes(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe each address that a blocked name may lead to."""
    addresses = _addresses(site.named)
    if not addresses:
        return [clean(say("no class has a sinkhole with an address"))]
    findings = [one for address in addresses for one in await _examined(address)]
    return findings or [
        clean(say("sinkholes lead to the page for pupils: {list}", list=", ".join(addresses)))
    ]


def _addresses(policy: Policy) -> list[str]:
    """Return the addresses of sinkholes of the classes that the site has."""
    used = {network.grade for network in policy.networks} | {policy.unknown_grade}
    sinks = [
        grade
        for key, grade in policy.grades.items()
        if key in used and grade.response is BlockResponse.SINKHOLE
    ]
    given = {address for sink in sinks for address in (sink.sinkhole_ipv4, sink.sinkhole_ipv6)}
    return sorted(one for one in given if not ip_address(one).is_unspecified)


async def _examined(address: str) -> list[ProbeFinding]:
    findings = []
    if not await _has_page(address):
        findings.append(
            found(
                say(
                    "a sinkhole leads to {address}, and no page for pupils is there",
                    address=address,
                ),
                say("start it: sudo systemctl enable --now filterd-blockpage.socket"),
            )
        )
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(address, HTTPS_PORT)
        writer.close()
        findings.append(
            found(
                say(
                    "port 443 of {address} answers: browsers warn of a certificate", address=address
                ),
                say("give the dashboard another port or address"),
            )
        )
    except TimeoutError:
        findings.append(
            found(
                say("port 443 of {address} is silent: browsers wait", address=address),
                say("refuse it (nftables: tcp dport 443 reject with tcp reset)"),
            )
        )
    except OSError:  # refused, as it should be
        pass
    return findings


async def _has_page(address: str) -> bool:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(address, HTTP_PORT)
            try:
                writer.write(_REQUEST % address.encode())
                return _MARK in await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                return False
            finally:
                writer.close()
    return False
