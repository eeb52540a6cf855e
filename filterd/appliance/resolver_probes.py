# SPDX-License-Identifier: Apache-2.0
"""Probe the resolver: its port, its answers, its upstreams, its blocks.

The answers are asked for on real sockets.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from filterd import port_holders
from filterd.appliance import stub_query
from filterd.appliance.finding import UnseenError, clean, found, unseen
from filterd.appliance.local_network import pupils_networks
from filterd.appliance.upstream_trial import attempt
from filterd.clients.interfaces import MOST_ADDRESSES
from filterd.i18n import Sentence, say, say_n
from filterd.policy.model import ListenAddress, Tls
from filterd.port_holders import PortHolder
from filterd.resolve.explanation import passes
from filterd.upstream.upstream_question import in_clear
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.examined_site import ExaminedSite
    from filterd.appliance.finding import ProbeFinding
    from filterd.appliance.upstream_trial import UpstreamTrial
    from filterd.policy.model import Policy

ANSWER_WITHIN_S = 3.0

_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 -- recognised, not listened on
_MOST_UPSTREAMS = 16


def port(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe which process holds the port of each address that filterd is to listen on.

    Where filterd runs, what holds the same port on other addresses does not disturb it.
    """
    if site.is_running:
        own = int(site.status["pid"])
        numbers = {int(one["port"]) for one in site.status["listen"]}
        held = [one for number in numbers for one in _holders(site, number)]
        if any(own in one.pids for one in held):
            yield clean(say("filterd has it"))
        else:
            yield unseen(say("only root sees which process has it"), say("run it again with sudo"))
        return
    is_known = not isinstance(site.policy_or_why, Sentence)
    listen = site.policy.listen if is_known else (ListenAddress(_WILDCARDS[0]),)
    held_by = dict[tuple[str, int], PortHolder]()
    for number in sorted({one.port for one in listen}):
        for one in _holders(site, number):
            if any(at.port == number and one.keeps(at.address) for at in listen):
                held_by.setdefault((one.program, number), one)
    for (_, number), holder in held_by.items():
        yield found(_held(holder, number), holder.remedy)
    if not held_by:
        yield clean(say("it is free"))


async def answers(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether filterd answers on each of its addresses."""
    if not site.is_running:
        start = say("start it: sudo systemctl restart filterd; why it ended: journalctl -u filterd")
        return [found(say("no running filterd answers"), start)]
    listening = _addresses(site)
    asked = (_is_answered(one) for one in listening)
    silent = [
        one
        for one, is_answered in zip(listening, await asyncio.gather(*asked), strict=True)
        if not is_answered
    ]
    if not silent:
        n = len(listening)
        return [clean(say_n("it answers on {n} address", "it answers on {n} addresses", n))]
    remedy = say("check the firewall of this machine, then: sudo systemctl restart filterd")
    return [
        found(say("no answer on {address} port {port}", address=at.address, port=at.port), remedy)
        for at in silent
    ]


async def upstreams(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe each upstream: whether it answers, and truthfully."""
    servers = site.upstreams[:_MOST_UPSTREAMS]
    if not servers:
        return [
            found(
                say("there is no upstream, so only blocked names get an answer"),
                say("name one under upstreams in site.yaml, such as 9.9.9.9, then: filterd reload"),
            )
        ]
    tried = await asyncio.gather(*(attempt(one, clock=site.clock) for one in servers))
    findings = [finding for trial in tried for finding in _judged(trial)]
    for trial in tried:
        if trial.problem and trial.server.tls is Tls.OPPORTUNISTIC:
            plain = await attempt(in_clear(trial.server), clock=site.clock)
            findings += _judged(plain)
    return findings


async def canaries(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a listed name of each category is blocked for pupils.

    It asks on the real socket.
    """
    source, results = await blocked_canaries(site)
    findings = [one for one in results if isinstance(one, tuple)]
    if findings:
        return findings
    n = results.count(True)
    if not n:
        return [unseen(say("the lists have no name that must be blocked for {who}", who=source))]
    return [
        clean(
            say_n(
                "a listed name of {n} category is blocked for {who}",
                "a listed name of each of {n} categories is blocked for {who}",
                n,
                who=source,
            )
        )
    ]


async def blocked_canaries(site: ExaminedSite) -> tuple[str, list[bool | ProbeFinding]]:
    """Return the address that asks, and for each category what ``canaries`` has seen.

    Returns: True where a listed name is blocked, False where none must be, else what is wrong.
    """
    source, at = _asked_as(site)
    asked = (_blocked(site, source, at, *one) for one in site.canaries.items())
    return source, await asyncio.gather(*asked)


async def _blocked(
    site: ExaminedSite, source: str, at: ListenAddress, category: str, canaries: tuple[str, ...]
) -> bool | ProbeFinding:
    """Return whether the first listed name is blocked, or a finding where it is open.

    Returns: False where no list has any of them, or the school opens it.
    """
    for name in canaries:
        qname = names.from_text(name).hex()
        if await asyncio.to_thread(site.ask, "lists-search", qname=qname):
            break
    else:
        return False
    expected = await asyncio.to_thread(
        site.ask, "check", qname=qname, qtype=int(RRType.A), grade=None, client=source, at=None
    )
    is_locked = not isinstance(site.policy_or_why, Sentence) and _is_locked(site.policy, category)
    if expected is not None and _is_open_by_school(expected, is_locked=is_locked):
        return False
    try:
        response = await stub_query.ask(
            at.address, at.port, name, source=source, within_s=ANSWER_WITHIN_S
        )
    except TimeoutError:
        return unseen(say("{name}: no answer within {n} s", name=name, n=round(ANSWER_WITHIN_S)))
    if stub_query.is_block(response):
        return True
    return found(
        say(
            "{name} is on a list of '{category}', and is not blocked for {who}",
            name=name,
            category=category,
            who=source,
        ),
        say("see why: {command}", command=f"filterd check {name} --client {source}"),
    )


def _is_locked(policy: Policy, category: str) -> bool:
    known = policy.categories.get(category)
    return known is not None and (known.locked or known.ordered)


def _is_open_by_school(expected: dict[str, Any], *, is_locked: bool) -> bool:
    """Return whether a rule of the school, or the age of the grade, opens a name.

    A locked category suits no age: where it is open, filterd itself is wrong.
    """
    is_by_age = expected["reason"] == "open" and not is_locked
    is_decided = is_by_age or expected["reason"] == "local" or expected["changed_by"]
    return passes(expected["action"]) and bool(is_decided)


def _asked_as(site: ExaminedSite) -> tuple[str, ListenAddress]:
    """Return an own address in a pupils' network, and where to ask from there.

    Where no own address is in a pupils' network, it is any own address.
    """
    listening = _addresses(site)
    pupils = [ip_network(cidr) for one in pupils_networks(site.policy) for cidr in one.cidrs]
    for at in listening:
        if at.address in site.network.own and any(ip_address(at.address) in one for one in pupils):
            return at.address, at
    return listening[0].address, listening[0]


def _addresses(site: ExaminedSite) -> list[ListenAddress]:
    """Return the addresses at which filterd can be asked from this machine.

    Raises:
        UnseenError: there is none, or no daemon.
    """
    result = dict[ListenAddress, None]()
    for one in site.status["listen"]:
        address, number = str(one["address"]), int(one["port"])
        if address not in _WILDCARDS:
            result[ListenAddress(address, number)] = None
            continue
        version = 6 if ":" in address else 4
        own = (ip.ip for link in site.network.interfaces for ip in link.addresses)
        inside = [str(ip) for ip in own if ip.version == version and not ip.is_link_local]
        for each in ("127.0.0.1" if version == 4 else "::1", *inside[:MOST_ADDRESSES]):
            result[ListenAddress(each, number)] = None
    if not result:
        raise UnseenError(say("filterd listens on no address"))
    return list(result)


async def _is_answered(at: ListenAddress) -> bool:
    try:
        await stub_query.ask(at.address, at.port, stub_query.LOCAL_NAME, within_s=ANSWER_WITHIN_S)
    except OSError:
        return False
    return True


def _holders(site: ExaminedSite, number: int) -> tuple[PortHolder, ...]:
    return port_holders.holders(number, site.root / "proc")


def _held(holder: PortHolder, number: int) -> Sentence:
    where = {"port": number, "address": holder.address, "protocol": holder.protocol.upper()}
    if not holder.pids:
        return say("port {port} of {address} ({protocol}) is held by another program", **where)
    return say(
        "port {port} of {address} ({protocol}) is held by {program}, process {pid}",
        program=holder.program,
        pid=holder.pids[0],
        **where,
    )


def _judged(trial: UpstreamTrial) -> Iterator[ProbeFinding]:
    server = trial.server
    where = f"{server.address} TLS" if server.tls is not Tls.NO else server.address
    if trial.problem:
        yield found(
            say("{server}: {problem}", server=where, problem=trial.problem),
            say("check the way to the Internet, or name another one under upstreams in site.yaml"),
        )
        return
    other = say("name another one under upstreams in site.yaml, by TLS if the provider rewrites")
    if trial.is_captive:
        yield found(
            say("{server} gives all names the same or a private address", server=where),
            say("a login page stands in front: log in there, or have this machine let through"),
        )
    elif trial.rewrites_nxdomain:
        yield found(
            say("{server} gives an address to names that do not exist", server=where), other
        )
    if server.trusted and not trial.validates:
        yield found(say("{server} is trusted, and does not validate", server=where), other)
    elif not trial.is_captive and not trial.rewrites_nxdomain:
        text = (
            say("{server} answers in {ms} ms, and validates", server=where, ms=trial.rtt_ms)
            if trial.validates
            else say("{server} answers in {ms} ms", server=where, ms=trial.rtt_ms)
        )
        yield clean(text)
