# SPDX-License-Identifier: Apache-2.0
"""Tell what a worker counts; the manager sums it up (``worker_sums``)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from filterd.daemon.worker_sums import ShownTraffic, summed
from filterd.texts import i18n

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.clients.network_view import Surroundings
    from filterd.daemon.serving.answer_path import AnswerPath
    from filterd.daemon.serving.lookup_recorder import LookupRecorder
    from filterd.daemon.serving.tcp_listener import TcpListener, TcpSlots
    from filterd.daemon.serving.tls_transport import TlsTransport
    from filterd.fastpath.udp_listener import UdpListener
    from filterd.policy.model import UpstreamServer
    from filterd.querylog import Counts
    from filterd.upstream.server_group import ServerHealth

_RECEIVED = "received"
"""A counter of datagrams that no status has: it counts also what is confidential."""


class WorkerStatus:
    """The counters of a worker and of its parts."""

    def __init__(
        self,
        path: AnswerPath,
        counts: Counts,
        recorder: LookupRecorder,
        surroundings: Surroundings,
        udp: Sequence[UdpListener],
        tcp: Sequence[TcpListener],
        places: TcpSlots,
        tls: TlsTransport | None,
    ) -> None:
        self._path = path
        self._counts, self._recorder, self._surroundings = counts, recorder, surroundings
        self._udp, self._tcp, self._places, self._tls = udp, tcp, places, tls
        self._name, self._shown = secrets.token_hex(8), ShownTraffic()

    def facts(self) -> dict[str, Any]:
        """Return the counters; what the fast path has answered must be settled before."""
        path, counts = self._path, self._counts
        datagrams = summed(listener.counters for listener in self._udp)
        traffic = [listener.traffic for listener in self._udp]
        traffic += [tcp.traffic.to_plain() for tcp in self._tcp]
        return {
            "name": self._name,
            "answers": self._shown.answers(path.resolver.counters, counts),
            "cache": path.store.figures(),
            "forwarding": dict(path.forwarder.counters),
            "in_flight": path.forwarder.in_flight,
            "tcp_connections": len(self._places),
            "tls": self._tls.status() if self._tls else {},
            "disputes": self._surroundings.disputes,
            "datagrams": {key: n for key, n in datagrams.items() if key != _RECEIVED},
            "receive_drops": sum(listener.receive_drops for listener in self._udp),
            "log": {
                "waiting": counts.waiting,
                "lost": counts.lost + self._recorder.lost,
                "undated": counts.undated,
                **self._recorder.facts(),
            },
            "upstreams": self._upstreams(),
            "tunnels": path.tunnels.facts(self._path.clock.wall()),
            "traffic": self._shown.totals(traffic, counts),
        }

    def _upstreams(self) -> list[dict[str, Any]]:
        known = {
            member.server: member
            for group in self._path.forwarder.groups().values()
            for member in group.members
        }
        servers = self._path.sites.current.route.servers
        return [self._upstream(server, known.get(server)) for server in servers]

    def _upstream(self, server: UpstreamServer, health: ServerHealth | None) -> dict[str, Any]:
        clock, problem = self._path.clock, self._path.forwarder.problem_of(server)
        since = None if health is None else health.down_since
        return {
            "address": server.address,
            "port": server.port,
            "tls": server.tls.value,
            "rtt_ms": None if health is None else round(health.srtt_s * 1000, 1),
            "down": since is not None,
            "down_since": None if since is None else clock.wall() - clock.monotonic() + since,
            "problem": problem,
            "sentence": i18n.to_plain(problem),
            "latency": {} if health is None else health.times.to_plain(),
        }
