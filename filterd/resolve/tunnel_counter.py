# SPDX-License-Identifier: Apache-2.0
"""Count what a device asks upstreams beneath a registered domain: a tunnel?

A tunnel carries data in names: each question is new, so each is asked upstream. Nothing else that
a device does asks for as many distinct names of one domain as fast: at 20 a second, which is
slow for a tunnel, it has 12,000 in ten minutes. Of content networks, telemetry and antivirus
programs a device asks for some hundreds, short ones mostly. So a pair of device and domain counts
as a tunnel once its distinct names in ``WINDOW_S`` are ``NAMES`` or more, and could carry
``OCTETS`` or more. How much that is beside ordinary traffic, and how fast a tunnel is noticed, is
shown by ``tests/bench/tunnels.py``.

Privacy. In memory only, and neither a name nor an address: a pair is a hash by a key of the
process, its names are bits. What leaves this module is the time and the number of names of the
largest pair, without device, network, class or domain.

Bounds. At most ``MOST_PAIRS``; where there are more, those with few names are forgotten. The
direct way of a miss (``fastpath``) calls only for long children of a domain of which the
device has just asked for several, and so costs others next to nothing.
"""

from __future__ import annotations

import logging
from math import log
from typing import TYPE_CHECKING, Any

from filterd.lists.hostname import key_from_name
from filterd.lists.public_suffix import is_public_suffix
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.policy.model import Client
    from filterd.resolve.query import Query

WINDOW_S = 600.0
NAMES, OCTETS = 500, 60_000
"""Of a device and a domain within the window, of all workers together."""

LEAST_WORKER_PART = 4
"""A worker that is one of more counts against a fourth: the others may see next to nothing."""

MOST_PAIRS = 256
_BITS = 4_096
"""Of a pair: 12,000 distinct names leave one bit in twenty free, enough for an estimate."""

_MOST_DOMAINS = 4_096

SHORTEST_CHILD = 9
"""Octets of a child's labels. What is shorter tells some 5 octets, as an index of a page does."""

_REVERSE = tuple(map(names.from_text, ("in-addr.arpa", "ip6.arpa")))
"""Whose names are addresses, and whose owners are networks."""

CARRIERS = frozenset(
    map(
        names.from_text,
        (
            "abuse.ch",
            "abusix.zone",
            "barracudacentral.org",
            "cymru.com",
            "dnswl.org",
            "e5.sk",
            "googlevideo.com",
            "junkemailfilter.com",
            "mailspike.net",
            "mcafee.com",
            "senderscore.com",
            "sophosxl.net",
            "sorbs.net",
            "spamcop.net",
            "spamhaus.net",
            "spamhaus.org",
            "surbl.org",
            "trellix.com",
            "uceprotect.net",
            "uribl.com",
        ),
    )
)
"""Registered domains of antivirus programs, of lists of senders, and of a content network with a
name for each of its thousands of machines. Their owners alone answer for all that is beneath."""

_logger = logging.getLogger("filterd.resolve")


class TunnelCounter:
    """The counter of one worker.

    Args:
        monotonic: the clock's monotonic time.
        device_of: returns a short keyed hash of a client's device, 0 where it is not known
            (``Counts.device_of``).
        workers: how many there are; a device's questions may be spread over all.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        device_of: Callable[[Client], int],
        workers: int = 1,
    ) -> None:
        self._monotonic, self._device_of = monotonic, device_of
        part = min(workers, LEAST_WORKER_PART)
        self._names, self._octets = NAMES // part, OCTETS // part
        self._pairs: dict[int, _Pair] = {}
        self._public: dict[bytes, bool] = {}
        """By suffix, whether strangers register names beneath it."""
        self._seen_at: float | None = None
        self._most = 0
        self._failed = False

    def note_query(self, query: Query) -> None:
        """Count a question for which an upstream is asked; never the daemon's own."""
        client = query.client
        if not client.is_probe:
            self.note(query.qname, self._device_of(client) or hash(client.address))

    def note(self, qname: bytes, device: int) -> None:
        """Count a name that an upstream is asked for. Never raises.

        Args:
            qname: in canonical wire form.
            device: a short keyed hash of it, or one of its address.
        """
        try:
            self._note(qname, device)
        except Exception:
            if not self._failed:
                _logger.exception("questions that may be of a tunnel cannot be counted")
            self._failed = True

    def is_noticed(self, qname: bytes, device: int) -> bool:
        """Return whether a name is of a domain beneath which the device has a tunnel."""
        found = self._pairs.get(hash((device, qname[self._begin_of_domain(qname) :])))
        return found is not None and found.is_noticed and self._monotonic() < found.ends_at

    def facts(self, wall: float) -> dict[str, Any]:
        """Return what the status shows, as plain data.

        Args:
            wall: Unix time.

        Returns: ``at``, when a question of a tunnel last came, None for never; ``names``, the
            largest number of distinct names of one within the window, as long as there are
            tunnels.
        """
        if self._seen_at is None:
            return {"at": None, "names": 0}
        return {"at": wall - (self._monotonic() - self._seen_at), "names": self._most}

    def _note(self, qname: bytes, device: int) -> None:
        begin = self._begin_of_domain(qname)
        if begin < SHORTEST_CHILD or qname.endswith(_REVERSE):
            return
        domain = qname[begin:]
        if domain in CARRIERS:
            return
        key, now = hash((device, domain)), self._monotonic()
        pair = self._pairs.get(key)
        if pair is None or now >= pair.ends_at:
            if pair is None and len(self._pairs) >= MOST_PAIRS:
                self._forget_some(now)
            pair = self._pairs[key] = _Pair(now + WINDOW_S)
        if pair.takes(qname, begin) and not pair.is_noticed:
            pair.is_noticed = pair.names >= self._names and pair.octets >= self._octets
        if pair.is_noticed:
            is_same = self._seen_at is not None and now < self._seen_at + WINDOW_S
            self._seen_at = now
            self._most = max(self._most if is_same else 0, pair.names)

    def _forget_some(self, now: float) -> None:
        """Forget pairs whose window is over, and of the others the half with fewer names."""
        rest = {key: pair for key, pair in self._pairs.items() if now < pair.ends_at}
        by_names = sorted(rest, key=lambda key: rest[key].set_bits, reverse=True)
        self._pairs = {key: rest[key] for key in by_names[: MOST_PAIRS // 2]}

    def _begin_of_domain(self, qname: bytes) -> int:
        """Return where the registered domain begins; 0 for a public suffix."""
        begins, at = [0], 0
        while qname[at]:
            at += qname[at] + 1
            begins.append(at)
        for begin in begins[-3::-1]:  # the root, and one label, which is nobody's
            if not self._is_public(qname[begin:]):
                return begin
        return 0

    def _is_public(self, suffix: bytes) -> bool:
        is_public = self._public.get(suffix)
        if is_public is None:
            if len(self._public) >= _MOST_DOMAINS:
                self._public.clear()
            # To know of internationalized suffixes takes a table of all, and far too long here.
            key = None if b"xn--" in suffix else key_from_name(suffix)
            is_public = self._public[suffix] = key is not None and is_public_suffix(key)
        return is_public


class _Pair:
    """The names of a device beneath a domain, as bits: was one new, and how many?"""

    __slots__ = ("_bits", "_octets", "ends_at", "is_noticed", "set_bits")

    def __init__(self, ends_at: float) -> None:
        self.ends_at, self.is_noticed = ends_at, False
        self.set_bits = self._octets = 0
        self._bits = bytearray(_BITS // 8)

    def takes(self, qname: bytes, child_octets: int) -> bool:
        """Take a name; return whether it is certainly new."""
        place = hash(qname) % _BITS
        bit = 1 << (place & 7)
        if self._bits[place >> 3] & bit:
            return False
        self._bits[place >> 3] |= bit
        self.set_bits += 1
        self._octets += child_octets
        return True

    @property
    def names(self) -> int:
        """The number of distinct names, estimated by the bits that are left."""
        free = max(1, _BITS - self.set_bits)
        return round(_BITS * log(_BITS / free))

    @property
    def octets(self) -> int:
        """The octets of these names, without the domain."""
        return self._octets * self.names // max(1, self.set_bits)
