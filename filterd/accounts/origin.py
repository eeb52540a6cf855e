# SPDX-License-Identifier: Apache-2.0
"""Origins of sign-ins: addresses as failures and sessions count them. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_ONE_LINK = 64


def origin_of(address: str, uid: int) -> str:
    """Return the origin of a request.

    It is an IPv4 address, or the /64 of an IPv6 address, in which a device chooses its own
    addresses (RFC 8981). Without a readable address it is the user that asks.

    Args:
        address: of the person's device, as the web process reports it.
        uid: of the process that asks.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return f"uid-{uid}"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found), _ONE_LINK), strict=False))
    return str(found)
