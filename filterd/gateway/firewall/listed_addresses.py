# SPDX-License-Identifier: Apache-2.0
"""Read the addresses that the firewall closes, and refuse those that it must not.

``blocklists/addresses.yaml`` has the addresses of public resolvers and of tunnels, each with its
operator, its source and a date. Whoever may write it could cut a school off, so what is wider than
a network of one operator, of no public host, or what a name that the school needs leads to, is
refused whatever the file says.
"""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, PlainValidator, WithJsonSchema

from filterd.base.addresses import is_public
from filterd.base.paths import shipped
from filterd.documents import DocumentModel, load, refusal, validate
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    from filterd.texts.i18n import Sentence

    Network = IPv4Network | IPv6Network

FILE = "addresses.yaml"

_SHORTEST = {4: 24, 6: 48}
"""The widest prefix, by IP version: what a provider announces by itself."""
_MOST = 1_000
"""Addresses of one kind; a firewall of that many changes within 0.1 s."""


def _network(value: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        text = str(value)[:60]
        raise refusal(
            say("'{text}' is not an address or a range", text=text),
            say("such as 192.0.2.53 or 198.51.100.0/24"),
        ) from None


def _of_a_day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        text = str(value)[:40]
        raise refusal(say("'{text}' is not a date", text=text), say("such as 2026-01-01")) from None


_Network = Annotated[
    IPv4Network | IPv6Network, PlainValidator(_network), WithJsonSchema({"type": "string"})
]
_Date = Annotated[date, PlainValidator(_of_a_day), WithJsonSchema({"type": "string"})]


class OperatorEntry(DocumentModel):
    """The addresses of one operator."""

    operator: str = Field(min_length=1, max_length=100, description="Who runs them.")
    source: str = Field(pattern=r"^https://\S{4,300}$", description="Where it publishes them.")
    date: _Date = Field(description="When the entry was written or last compared.")
    addresses: tuple[_Network, ...] = Field(min_length=1, max_length=_MOST)


class AddressesFile(DocumentModel):
    """``addresses.yaml``."""

    resolvers: tuple[OperatorEntry, ...] = Field((), max_length=_MOST)
    tunnels: tuple[OperatorEntry, ...] = Field((), max_length=_MOST)


class ClosedAddresses(NamedTuple):
    """What the firewall closes, and what it refused to close, each with the reason."""

    resolvers: tuple[IPv4Network | IPv6Network, ...]
    tunnels: tuple[IPv4Network | IPv6Network, ...]
    refused: tuple[tuple[IPv4Network | IPv6Network, Sentence], ...] = ()


def read(
    folder: Path | None = None, needed: Collection[IPv4Address | IPv6Address] = ()
) -> ClosedAddresses:
    """Return the addresses to close.

    Args:
        folder: of the blocklists; those that ship if None.
        needed: addresses that pinned, protected or popular names lead to.

    Raises:
        ConfigErrors: the file is wrong.
    """
    file = validate(load((folder or shipped("blocklists")) / FILE), AddressesFile)
    kinds = _of(file.resolvers), _of(file.tunnels)
    refused = judged((*kinds[0], *kinds[1]), needed)
    resolvers, tunnels = (tuple(one for one in kind if one not in refused) for kind in kinds)
    return ClosedAddresses(resolvers, tunnels, tuple(refused.items()))


def judged(
    networks: Iterable[Network], needed: Collection[IPv4Address | IPv6Address] = ()
) -> dict[Network, Sentence]:
    """Return the networks that must not be closed, each with the reason. Pure."""
    refused = dict[IPv4Network | IPv6Network, "Sentence"]()
    for network in networks:
        if network.prefixlen < _SHORTEST[network.version]:
            refused[network] = say("it is wider than /{length}", length=_SHORTEST[network.version])
        elif not (is_public(network.network_address) and is_public(network.broadcast_address)):
            refused[network] = say("it is not of the public Internet")
        elif led := next((address for address in needed if address in network), None):
            refused[network] = say("a name that schools need leads to {address}", address=led)
    return refused


def _of(entries: Iterable[OperatorEntry]) -> list[Network]:
    return list(dict.fromkeys(one for entry in entries for one in entry.addresses))
