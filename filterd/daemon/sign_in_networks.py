# SPDX-License-Identifier: Apache-2.0
"""The networks from which people may sign in: those of the staff.

A network of the grade ``staff`` counts by its addresses. A device that is staff by its MAC
address is to be enrolled: a MAC address is easily taken over.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from filterd.clients.identifier import Identifier
from filterd.policy.model import STAFF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.policy.model import Policy
    from filterd.resolve.site import Site

_ITSELF = frozenset((ip_address("127.0.0.1"), ip_address("::1")))
"""Not all of 127.0.0.0/8: the sample school has its networks there."""


class SignInNetworks:
    """Admits addresses by the site in force."""

    def __init__(self, site: Callable[[], Site]) -> None:
        self._site = site
        self._known: tuple[Policy, Identifier] | None = None

    def is_of_staff(self, address: str) -> bool:
        """Return whether an address is the gateway's own, or in a network of the staff."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        if found in _ITSELF:
            return True
        client = self._identifier().identify(str(found))
        return client is not None and client.network is not None and client.grade.grade == STAFF

    def _identifier(self) -> Identifier:
        site = self._site()
        policy = site.timed.policy
        if self._known is None or self._known[0] is not policy:
            self._known = policy, Identifier(_by_addresses(policy), site.surroundings)
        return self._known[1]


def _by_addresses(policy: Policy) -> Policy:
    """Return a policy that knows no device by its MAC."""
    return replace(policy, networks=tuple(replace(one, macs=()) for one in policy.networks))


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address is in one of the networks (CIDR)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(one) for one in networks)
