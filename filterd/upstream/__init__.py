# SPDX-License-Identifier: Apache-2.0
"""Floor 3: queries to other resolvers; only an answer to the question is believed.

* ``server_group``: the health of the servers of a route; ``resolv_conf``: the system's servers.
* ``upstream_question``: chooses the route of a name, composes a query, and checks whether
  a message answers it.
* ``randomness``, ``socket_pool``: queries by UDP, on sockets that change their ports.
  The native ``_pool`` replaces both where it was built.
* ``stream_queries``, ``tls``, ``tls_trust``: queries by TCP and by TLS. ``transport_set`` has all
  transports.
* ``exchange``: one question put to a group of servers under one deadline.
* ``resolution``: the part of a response that may be kept and passed on, and the oracle of
  the native code that extracts it; ``private_ranges``: which of its addresses are private.
* ``singleflight``: identical questions in flight share one exchange, and their number is
  bounded. It is native where it was built, and so is an ordinary exchange then: one server,
  asked once by UDP, that answers well.
* ``forwarder``: the interface of the package, by callback or as a coroutine.

Invariants: only configured servers are ever asked. IDs and ports come from the
operating system's random source, and a socket carries three questions at most.
A message that does not match is ignored and counted, and waiting goes on.
"""

from filterd.upstream.exchange import CONCLUSIVE, DEADLINE_S
from filterd.upstream.forwarder import Forwarder
from filterd.upstream.resolution import Resolution
from filterd.upstream.upstream_question import Route, UpstreamQuestion, in_clear

__all__ = [
    "CONCLUSIVE",
    "DEADLINE_S",
    "Forwarder",
    "Resolution",
    "Route",
    "UpstreamQuestion",
    "in_clear",
]
