# SPDX-License-Identifier: Apache-2.0
"""Find out whether the package index can be reached, as pip's configuration names it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deploy.checkout.children import Children

_SETTING = re.compile(r"^(:env:|install|global)\.([\w-]+)=(['\"])(.*)\3$")
_DEFAULT = re.compile(r"Package Index \(default\s+(\S+?)\)")
_WITHIN_S = 6.0
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Source:
    """Where pip takes packages from.

    Attributes:
        addresses: of indexes.
        links: folders of wheels that it looks into as well.
        proxy: of pip's own configuration.
    """

    addresses: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    proxy: str = ""


def find_source(children: Children, python: str, pip: Path) -> Source:
    """Return where pip takes packages from, by its own words."""
    wide = {"COLUMNS": "400"}
    _, config = children.run([python, pip, "config", "list"], more=wide)
    source = read_settings(config)
    if source.addresses:
        return source
    _, text = children.run([python, pip, "install", "--help"], more=wide)
    found = _DEFAULT.search(" ".join(" ".join(text).split()))
    return Source((found[1],) if found else (), source.links, source.proxy)


def read_settings(lines: Iterable[str]) -> Source:
    """Read what ``pip config list`` prints."""
    found = dict[str, str]()
    by_scope = [one for line in lines if (one := _SETTING.match(line))]
    for scope in ("global", "install", ":env:"):  # a later one is in force
        found |= {one[2]: one[4] for one in by_scope if one[1] == scope}
    if found.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        return Source(links=tuple(_split(found.get("find-links", ""))))
    addresses = [found.get("index-url", ""), *_split(found.get("extra-index-url", ""))]
    return Source(
        tuple(filter(None, addresses)) if addresses[0] else (),
        tuple(_split(found.get("find-links", ""))),
        found.get("proxy", ""),
    )


def _split(value: str) -> list[str]:
    return value.replace("\\n", " ").split()


def why_unreachable(
    source: Source,
    needed: str,
    connect: Callable[[str, int], None] | None = None,
    proxies: dict[str, str] | None = None,
) -> tuple[str, str]:
    """Return the host that cannot be reached, and why; empty where one can, or need not.

    Args:
        source: where pip takes packages from.
        needed: the name of a package; a folder that has it may have all.
        connect: opens a connection to a host and port.
        proxies: those of the environment, by scheme.
    """
    if not source.addresses or any(_has(link, needed) for link in source.links):
        return "", ""
    first = "", ""
    for address in source.addresses:
        host, port = _asked(address, source.proxy, getproxies() if proxies is None else proxies)
        if not host:
            return "", ""
        try:
            (connect or _connect)(host, port)
        except OSError as error:
            first = first if first[0] else (host, _reason(error))
        else:
            return "", ""
    return first


def _asked(address: str, proxy: str, proxies: dict[str, str]) -> tuple[str, int]:
    """Return the host and port that are connected to for an address."""
    url = urlsplit(address)
    if url.scheme not in _PORTS:
        return "", 0
    by = proxy or proxies.get(url.scheme) or proxies.get("all") or ""
    if by and not proxy_bypass(url.hostname or ""):
        url = urlsplit(by if "://" in by else f"http://{by}")
    return url.hostname or "", url.port or _PORTS.get(url.scheme, 1080)


def _connect(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=_WITHIN_S).close()


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {_WITHIN_S:.0f} s"
    return error.strerror or str(error)


def _has(link: str, needed: str) -> bool:
    folder = Path(unquote(link.removeprefix("file://")))
    name = needed.replace("-", "_")
    return folder.is_dir() and any(folder.glob(f"{name}-*"))
