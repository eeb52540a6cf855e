# SPDX-License-Identifier: Apache-2.0
"""Probe the addresses that a sinkhole leads to.

Port 80 must have the page for pupils. Port 443 must refuse a connection by RST: a listener makes
browsers warn of a certificate, and silence makes them wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import ip_address
from typing import TYPE_CHECKING

from filterd.appliance.probe import ProbeFinding, clean, found
from filterd.i18n import say
from filterd.policy.model import BlockResponse

if TYPE_CHECKING:
    from filterd.appliance.probe import ExaminedSite
    from filterd.policy.model import Policy

HTTP_PORT, HTTPS_PORT = 80, 443
_WITHIN_S = 3.0
_REQUEST = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
_MARK = b"Content-Security-Policy"


async def sinkholes(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe each address that a blocked name may lead to."""
    addresses = _addresses(site.policy)
    if not addresses:
        return [clean(say("no class has a sinkhole with an address"))]
    findings = [one for address in addresses for one in await _examined(address)]
    return findings or [
        clean(say("sinkholes lead to the page for pupils: {list}", list=", ".join(addresses)))
    ]


def _addresses(policy: Policy) -> list[str]:
    """Return the addresses of sinkholes of the classes that the site has."""
    used = {one.grade for one in policy.networks} | {policy.unknown_grade}
    sinks = [
        one
        for key, one in policy.grades.items()
        if key in used and one.response is BlockResponse.SINKHOLE
    ]
    given = {address for one in sinks for address in (one.sinkhole_ipv4, one.sinkhole_ipv6)}
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
