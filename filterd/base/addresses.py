# SPDX-License-Identifier: Apache-2.0
"""Judge addresses: public or not, random or not; bind where a process listens.

Addresses that are not public are those of a machine or of its networks. A host's address is known
only when it is resolved; here is refused what can be no public host whatever resolves it.
"""

from __future__ import annotations

import contextlib
import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from filterd.base.errors import ConfigError
from filterd.texts.i18n import refused, say

_NAT64, _INTERNET = IPv6Network("64:ff9b::/96"), IPv6Network("2000::/3")
_OF_LANS = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                     "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"))
)  # fmt: skip
_LOCAL = frozenset({
    "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain",
    "localhost", "onion", "private", "test",
})  # fmt: skip
"""Top-level domains of machines and networks (RFC 6761, RFC 6762, RFC 7686, ICANN's .internal)."""
_LOCAL_DOMAIN = ".home.arpa"
_LOCALLY_ADMINISTERED = 0x02
ANY_IPV4 = "0.0.0.0"  # noqa: S104 -- where it is bound, the site has asked for it
LOOPBACK_OF = {ANY_IPV4: "127.0.0.1", "::": "::1"}
"""By the address that stands for all of a machine, one by which the machine itself gets there."""
_is_number = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII).fullmatch


def is_random(mac: str) -> bool:
    """Return whether a MAC is random, made by the device itself, and so may change.

    It is if it is locally administered (RFC 9542 §2.1), as telephones do.
    """
    return bool(int(mac[:2], 16) & _LOCALLY_ADMINISTERED)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address; an IPv6 one may name its zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is of the public Internet, whatever it embeds."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
        if embedded is not None:
            return is_public(embedded)
        if address not in _INTERNET:  # Python takes NAT64 of a network's own for global (RFC 8215)
            return False
    return address.is_global and not address.is_multicast


def is_of_a_lan(address: str) -> bool:
    """Return whether a text is an address of this machine or a private one.

    That is RFC 1918, unique local (RFC 4193) and link-local (RFC 3927, RFC 4291).
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in one for one in _OF_LANS)


def may_be_public(host: str) -> bool:
    """Return whether a host may be of the public Internet.

    Args:
        host: a name, or an address, of IPv6 without brackets. What systems take for an IPv4
            address in another form (``127.1``, ``0x7f000001``, ``2130706433``) is none.
    """
    try:
        return is_public(ip_address(host))
    except ValueError:
        name = host.lower().removesuffix(".")
    *above, last = name.split(".")
    is_local = last in _LOCAL or f".{name}".endswith(_LOCAL_DOMAIN)
    return bool(above) and all(above) and bool(last) and not (is_local or _is_number(last))


DASHBOARD = "127.0.0.1:8443"
"""Where `filterd web` listens unless another place is named."""
_HIGHEST_PORT = 65535


def parse_listen(text: str, example: str, *, is_loopback: bool = False) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT``, IPv6 in brackets.

    Args:
        text: as the operator wrote it.
        example: of such an address, for the error.
        is_loopback: whether it must be one of loopback.

    Raises:
        ConfigError: it is no address with a port, or, where it must be, none of loopback.
    """
    host, _, port = text.rpartition(":")
    with contextlib.suppress(ValueError):
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        if 0 <= int(port) <= _HIGHEST_PORT and (address.is_loopback or not is_loopback):
            return str(address), int(port)
    given = text[:80]
    if is_loopback:
        raise ConfigError(
            say("--listen '{given}' is not a loopback address with a port", given=given),
            hint=say("{example}, for example; ssh or a web server can pass it on", example=example),
        )
    raise ConfigError(
        say("--listen '{given}' is not an address with a port", given=given),
        hint=say("{example}, for example", example=example),
    )


def bound(listen: tuple[str, int], ports: int = 1) -> socket.socket:
    """Return a bound socket, at the first of so many ports that is free.

    Raises:
        ConfigError: none is.
    """
    address, port = listen
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for number in range(port, min(port + ports, _HIGHEST_PORT + 1)):
        try:
            opened = socket.socket(family)
        except OSError as error:  # a kernel without IPv6
            why = error
            break
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((address, number))
        except OSError as error:
            opened.close()
            why = error
        else:
            return opened
    raise ConfigError(
        say(
            "cannot listen on {address} port {port}: {why}",
            address=address,
            port=port,
            why=refused(why),
        )
    )
