# SPDX-License-Identifier: Apache-2.0
"""Probe the resolver: its port, its answers, its upstreams, its blocks.

The answers are asked for on real sockets.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING

from filterd.appliance import stub_query
from filterd.appliance.doctor.probe import UnseenError, clean, found, unseen
from filterd.appliance.stub_query import attempt
from filterd.base import port_holders
from filterd.base.addresses import ANY_IPV4, LOOPBACK_OF
from filterd.base.port_holders import PortHolder
from filterd.clients.interfaces import MOST_ADDRESSES
from filterd.daemon.handlers.self_tests import open_to
from filterd.policy.model import ListenAddress, Tls
from filterd.texts.i18n import Sentence, say, say_n
from filterd.upstream.upstream_question import in_clear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.doctor.probe import ExaminedSite, ProbeFinding
    from filterd.appliance.stub_query import UpstreamTrial

ANSWER_WITHIN_S = 3.0
_TESTED_WITHIN_S = 15.0
"""Less than an examination takes."""
_TEST_HOLDS_S = 300
"""How long a self-test without failure holds: a health check of a container asks twice a minute."""

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
    listen = site.policy.listen if is_known else (ListenAddress(ANY_IPV4),)
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
    tried = await asyncio.gather(*(attempt(server, clock=site.clock) for server in servers))
    findings = [finding for trial in tried for finding in _judged(trial)]
    for trial in tried:
        if trial.problem and trial.server.tls is Tls.OPPORTUNISTIC:
            plain = await attempt(in_clear(trial.server), clock=site.clock)
            findings += _judged(plain)
    return findings


async def canaries(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a listed name of each category is blocked for each tier.

    The daemon asks its own sockets, as a device of each grade does
    (``daemon.handlers.self_tests``).
    """
    outcome = await asyncio.to_thread(
        site.ask, "self-test", silence_s=_TESTED_WITHIN_S, old_s=_TEST_HOLDS_S
    )
    outcomes = dict[str, dict[str, dict[str, None]]]()
    for row in outcome["rows"]:
        outcomes.setdefault(row["outcome"], {}).setdefault(row["category"], {})[row["tier"]] = None
    remedy = say("start it anew: sudo systemctl restart filterd; if it stays: filterd feed status")
    findings = [
        found(open_to(category, tiers), remedy)
        for category, tiers in outcomes.get("failed", {}).items()
    ]
    if findings:
        return findings
    n = len(outcomes.get("passed", ()))
    if not n:
        return [unseen(say("no list has a name that must be blocked, or none was answered"))]
    return [
        clean(
            say_n(
                "a listed name of {n} category is blocked for each tier that it is closed to",
                "a listed name of each of {n} categories is blocked for each tier that it is"
                " closed to",
                n,
            )
        )
    ]


def _addresses(site: ExaminedSite) -> list[ListenAddress]:
    """Return the addresses at which filterd can be asked from this machine.

    The daemon states them, and root asks: so they are addresses of this machine only.

    Raises:
        UnseenError: there is none, or no daemon.
    """
    result = dict[ListenAddress, None]()
    for one in site.status["listen"]:
        address, number = str(one["address"]), int(one["port"])
        if address not in LOOPBACK_OF:
            if ip_address(address).is_loopback or address.partition("%")[0] in site.network.own:
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
