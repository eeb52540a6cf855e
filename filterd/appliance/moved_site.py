# SPDX-License-Identifier: Apache-2.0
"""Change what a site has of its old machine: interfaces and own addresses.

``filterd setup --restore`` asks for each of them (the question ``here``). Networks by their
ranges, MACs of devices, classes and rules are of the school and stay.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from filterd.errors import ConfigError
from filterd.listen_address import parse_listen
from filterd.public_address import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from filterd.appliance.interview import Answers, Interview, Machine

    Plain = dict[str, Any]

MOVED = "moved"
"""The key in ``Interview.before`` for the names of the old machine, with spaces between them."""


def strange_names(site: Plain, machine: Machine) -> tuple[str, ...]:
    """Return interfaces and addresses of a site that the machine does not have."""
    known = {*machine.outward, *(one.interface for one in machine.links)}
    own = {one.address for one in machine.links}
    names = [name for name in _interfaces(site) if name not in known]
    for written in _list(site, "listen"):
        address = _address(written)
        if address and address not in own and not _is_everywhere(address):
            names.append(address)
    return tuple(dict.fromkeys(names))


def asked_names(interview: Interview) -> tuple[str, ...]:
    """Return the names that a set-up asks for."""
    return tuple(interview.before.get(MOVED, "").split())


def defaults(site: Plain, machine: Machine) -> Answers:
    """Return the answers of a set-up that begins with the site of another machine."""
    names = strange_names(site, machine)
    likeliest = {f"here {name}": next(iter(choices_for(name, machine)), name) for name in names}
    return {MOVED: " ".join(names), **likeliest}


def choices_for(name: str, machine: Machine) -> tuple[str, ...]:
    """Return what may stand here for a name, the likeliest first."""
    if not is_address(name):
        return tuple(dict.fromkeys(one.interface for one in machine.links))
    beside = [one for one in machine.links if ip_address(name) in ip_network(one.cidr)]
    return tuple(dict.fromkeys(one.address for one in (*beside, *machine.links)))


def change(site: Plain, here: Mapping[str, str]) -> Plain:
    """Return the changed keys of ``site.yaml``, for ``site_writer.rewritten``.

    Args:
        site: the plain data.
        here: the new name by the old one.
    """
    found: Plain = {}

    def renamed(key: str, holder: Plain, rename: Callable[[Any], Any]) -> Plain:
        old = _list(holder, key)
        new = list(map(rename, old))
        return {key: new} if new != old else {}

    def endpoint(written: Any) -> Any:
        address = _address(written)
        return str(written).replace(address, here[address]) if address in here else written

    found |= renamed("listen", site, endpoint)
    found |= renamed("lan_interfaces", site, lambda one: here.get(one, one))
    networks = {
        name: changed
        for name, network in _networks(site)
        if (changed := renamed("interfaces", network, lambda one: here.get(one, one)))
    }
    return found | ({"networks": networks} if networks else {})


def _interfaces(site: Plain) -> Iterator[str]:
    yield from map(str, _list(site, "lan_interfaces"))
    for _, network in _networks(site):
        yield from map(str, _list(network, "interfaces"))


def _networks(site: Plain) -> Iterator[tuple[str, Plain]]:
    networks = site.get("networks")
    for name, network in networks.items() if isinstance(networks, dict) else ():
        if isinstance(network, dict):
            yield name, network


def _list(holder: Plain, key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _address(written: Any) -> str:
    """Return the address of ``ADDRESS`` or ``ADDRESS:PORT``; empty for something else."""
    text = str(written)
    if is_address(text):
        return text
    try:
        return parse_listen(text, text)[0]
    except ConfigError:
        return ""


def _is_everywhere(address: str) -> bool:
    found = ip_address(address)
    return found.is_unspecified or found.is_loopback
