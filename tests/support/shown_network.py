# SPDX-License-Identifier: Apache-2.0
"""A network as the command ``ip`` shows it: one link of the school's side, ``lan0``."""

from __future__ import annotations

from typing import Any

from filterd.clients.interfaces import IpCommand

_LAN = {"ifname": "lan0", "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}]}
_LAN6 = {"ifname": "lan0", "addr_info": [{"local": "fe80::1", "prefixlen": 64}]}
_WAN = {"ifname": "wan0", "addr_info": [{"local": "198.51.100.2", "prefixlen": 24}]}


def mac(number: int) -> str:
    """Return the MAC of a device, of its own making."""
    return f"02:00:5e:00:00:{number:02x}"


def neighbour(number: int, state: str = "REACHABLE", /, **more: Any) -> dict[str, Any]:
    """Return an entry of the kernel's neighbour table."""
    return {
        "dst": f"10.0.0.{number}",
        "dev": "lan0",
        "lladdr": mac(number),
        "state": [state],
    } | more


class ShownNetwork(IpCommand):
    """A runner of ``ip`` that prints these neighbours; None: it fails."""

    def __init__(self, *neighbours: dict[str, Any]) -> None:
        super().__init__()
        self.neighbours: list[dict[str, Any]] | None = list(neighbours)

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        """Return what ``ip`` prints."""
        if arguments[0] == "neigh":
            return self.neighbours
        return (
            [_LAN, _LAN6, _WAN]
            if arguments[0] == "address"
            else [{"dst": "default", "dev": "wan0"}]
        )
