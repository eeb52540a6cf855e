# SPDX-License-Identifier: Apache-2.0
"""Floor 4: asking other resolvers, and believing only what answers the question.

* ``route``, ``group``: who is asked about a name, and how each server has fared.
* ``question``: composes what is asked and tells whether a message answers it.
* ``randomness``, ``ports``, ``udp``, ``pool``: questions by UDP, on sockets that
  change their ports. ``pool`` is native where it was built, and does the work of
  the other three then; they are its readable twin.
* ``tcp``, ``tls``: questions by connections; ``timers``: all that waits.
* ``exchange``: one question put to a group of servers under one deadline.
* ``resolution``: the part of a response that may be kept and passed on; ``extraction``
  is its live twin;
  ``addresses``: which of its addresses are private; ``revision``: less of it for
  one asker.
* ``flights``: identical questions in flight share one exchange; ``places`` bounds how
  many there are. It is native where it was built, and so is the straight course of an
  exchange then: one server asked once by UDP that answers well.
* ``forwarder``: the face, for who waits by a callback or as a coroutine.

Promises: only configured servers are asked, ever. IDs and ports come from the
operating system's random source, and a socket carries three questions at most.
What does not match is ignored and counted, and waiting goes on.
"""

from filterd.upstream.exchange import CONCLUSIVE, DEADLINE_S
from filterd.upstream.forwarder import Forwarder
from filterd.upstream.question import UpstreamQuestion
from filterd.upstream.resolution import Resolution
from filterd.upstream.route import Route, in_clear

__all__ = [
    "CONCLUSIVE",
    "DEADLINE_S",
    "Forwarder",
    "Resolution",
    "Route",
    "UpstreamQuestion",
    "in_clear",
]
