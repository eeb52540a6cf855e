# SPDX-License-Identifier: Apache-2.0
"""Pin the hosts that public lists come from: no list may close them.

A list once named a mirror of its own publisher, and so would have been its own last version.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filterd.documents import dump
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.rules import Pin
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.catalog import Catalog, PublicSource


def with_pinned_hosts(catalog: Catalog) -> Catalog:
    """Return a catalogue that pins the hosts of its sources.

    They are pinned as the program pins names.
    """
    known = {one.name for one in catalog.pins}
    hosts = (Pin(name, reason="feed") for name in followed_hosts(catalog.sources))
    return replace(catalog, pins=(*catalog.pins, *(one for one in hosts if one.name not in known)))


def followed_hosts(sources: Iterable[PublicSource]) -> tuple[bytes, ...]:
    """Return the names of the hosts of sources and mirrors.

    No list may close these hosts, because lists come from them.
    """
    found = dict[bytes, None]()
    for address in chain.from_iterable(one.addresses for one in sources):
        with contextlib.suppress(ValueError, HostnameError):  # a host by its address
            found[name_from_key(key_from_text(urlsplit(address).hostname or ""))] = None
    return tuple(found)


def pins_yaml(catalog: Catalog) -> bytes:
    """Return ``pins.yaml`` with the pins of a catalogue."""
    pins = [
        {"name": wire_names.to_text(one.name), "subtree": one.subtree, "reason": one.reason}
        for one in catalog.pins
    ]
    return dump({"pins": pins})
