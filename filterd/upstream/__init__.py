# SPDX-License-Identifier: Apache-2.0
"""Floor 4: asking other resolvers, and believing only what answers the question.

* ``route``: who is asked about a name.
* ``question``: composes what is asked and tells whether a datagram answers it.
* ``udp``, ``tcp``: one attempt at one server.
* ``exchange``: one question put to a group of servers under one deadline.
* ``resolution``: the part of a response that may be kept and passed on.
* ``forwarder``: the face: identical questions in flight share one exchange.

Promises: only configured servers are asked, ever. The ID comes from the
operating system's random source and every attempt has a fresh socket, so a
fresh port. What does not match is ignored and counted, and waiting goes on.
"""

from filterd.upstream.exchange import CONCLUSIVE
from filterd.upstream.forwarder import Forwarder
from filterd.upstream.question import UpstreamQuestion
from filterd.upstream.resolution import Resolution
from filterd.upstream.route import Route, in_clear

__all__ = ["CONCLUSIVE", "Forwarder", "Resolution", "Route", "UpstreamQuestion", "in_clear"]
