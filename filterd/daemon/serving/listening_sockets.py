# SPDX-License-Identifier: Apache-2.0
"""Open the sockets that lookups come to, or take those of the service before.

Under systemd they stay open while the service restarts, in its file descriptor store: questions
wait in the kernel, and the next process answers them. It keeps all of them under one name, which
is an interface between releases; which address a socket has is read from the socket.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import replace
from itertools import chain
from time import sleep
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ConfigError
from filterd.base.service_manager import forget_sockets, named_sockets, store_sockets
from filterd.fastpath.pktinfo import bind, has_family, is_bound, is_here, report_arrival
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filterd.policy.model import ListenAddress, Policy

STORED = "dns"
"""The name of the sockets in the store."""

_DNS_PORT, _TLS_PORT = 53, 853
_TRIES, _APART_S = 40, 0.05
"""2 s for systemd to close what was forgotten: it does so after it has read the message."""

_logger = logging.getLogger("filterd.listening_sockets")


class Listening(NamedTuple):
    """The two sockets of one address and port."""

    udp: socket.socket
    tcp: socket.socket

    @property
    def port(self) -> int:
        """The port of both."""
        port: int = self.udp.getsockname()[1]
        return port


class ListeningTls(NamedTuple):
    """The sockets of DNS over TLS.

    ``problem``: why one could not be bound, UNSAID where all were. ``is_first``: of the worker
    that writes into the journal what all of them notice.
    """

    sockets: tuple[socket.socket, ...] = ()
    problem: Sentence = UNSAID
    is_first: bool = True


NO_TLS = ListeningTls()


def by_tls(policy: Policy) -> tuple[ListenAddress, ...]:
    """Return where it is to answer by TLS.

    What ``site.yaml`` does not say follows from ``listen``: a trial, which has another port than
    that of DNS, does without.
    """
    if policy.listen_tls is not None:
        return policy.listen_tls
    return tuple(replace(one, port=_TLS_PORT) for one in policy.listen if one.port == _DNS_PORT)


def listen_by_tls(addresses: Iterable[ListenAddress]) -> ListeningTls:
    """Bind the ports of DNS over TLS; leave out, and log, what cannot be bound.

    Devices ask on port 53 then. So these sockets are in no store: no lookup depends on them.
    """
    opened, problem = list[socket.socket](), UNSAID
    for address in addresses:
        if not has_family(address.address):
            continue
        try:
            opened.append(bind(address, socket.SOCK_STREAM))
        except ConfigError as error:
            problem = error.sentence
            _logger.warning("%s", say("DNS over TLS: {problem}", problem=problem))
    return ListeningTls(tuple(opened), problem)


def listen_on(
    addresses: Iterable[ListenAddress], kept: Sequence[socket.socket] = ()
) -> list[Listening]:
    """Bind every address, or none; a kept socket of an address is used again.

    Connections are taken from the moment at which a worker listens; datagrams
    wait for it from now on. An address that the machine does not have is logged:
    it may come later, or be a slip of the pen. One of IPv6 is left out, and logged, where the
    kernel has no IPv6 and there are others.

    Raises:
        ConfigError: one cannot be bound.
    """
    wanted = list(addresses)
    possible = [one for one in wanted if has_family(one.address)] or wanted
    for left_out in wanted:
        if left_out not in possible:
            _logger.warning(
                "this machine has no IPv6: not answering at %s; IPv4 goes on", left_out.address
            )
    with contextlib.ExitStack() as opened:
        bound = []
        for address in possible:
            if not is_here(address.address):
                _logger.warning(
                    "this machine has no address %s now: answering there once it has",
                    address.address,
                )
            udp = opened.enter_context(_kept_or_bound(address, socket.SOCK_DGRAM, kept))
            port = udp.getsockname()[1]
            of_tcp = replace(address, port=port)
            tcp = opened.enter_context(_kept_or_bound(of_tcp, socket.SOCK_STREAM, kept))
            bound.append(Listening(udp, tcp))
        opened.pop_all()
        return bound


def listen_again_on(addresses: Sequence[ListenAddress]) -> list[Listening]:
    """Listen as ``listen_on`` does, with the sockets in systemd's store.

    New ones are stored; stored ones that have none of these addresses are closed, there too.

    Raises:
        ConfigError: an address cannot be bound.
    """
    passed = named_sockets()
    kept = [
        one for name, one in passed if name == STORED and any(_has(one, at) for at in addresses)
    ]
    unused = [(name, one) for name, one in passed if one not in kept]
    for name in {name for name, _ in unused}:
        forget_sockets(name)  # those of this name that are used are stored again below
    for _, one in unused:
        one.close()
    try:
        listening = _listen_soon(addresses, kept, _TRIES if unused else 1)
    finally:
        for one in kept:
            one.close()
    opened = list(chain.from_iterable(listening))
    if unused or len(kept) < len(opened):
        store_sockets(STORED, opened)
    return listening


def _listen_soon(
    addresses: Sequence[ListenAddress], kept: Sequence[socket.socket], tries: int
) -> list[Listening]:
    for _ in range(tries - 1):
        with contextlib.suppress(ConfigError):
            return listen_on(addresses, kept)
        sleep(_APART_S)
    return listen_on(addresses, kept)


def _kept_or_bound(
    address: ListenAddress, kind: socket.SocketKind, kept: Iterable[socket.socket]
) -> socket.socket:
    for one in kept:
        if is_bound(one, address, kind):
            report_arrival(one)  # the release before may have done without
            return one.dup()
    return bind(address, kind)


def _has(kept: socket.socket, address: ListenAddress) -> bool:
    return is_bound(kept, address, socket.SOCK_DGRAM) or is_bound(kept, address, socket.SOCK_STREAM)
