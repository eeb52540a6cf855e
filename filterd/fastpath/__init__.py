# SPDX-License-Identifier: Apache-2.0
"""Floor 5: most datagrams, answered before the chain. It has no policy of its own.

What the chain has answered is repeated, what the lists and the policy's table close is blocked,
and what no rule concerns is forwarded directly. Everything else is the chain's::

    kernel -> datagrams -> _core: _question -> rate_limit -> _packet_cache   answered before
                |                                        |-> _decision_cells blocked by a list
                |                                        '-> direct_forward  cache, upstreams
                '-- udp_listener -> coroutine_runner -> resolve.resolver     the chain

The fast path is native; where nothing was built the chain answers everything, behind the same
limits. ``datagrams`` takes datagrams from the kernel, in batches if native, and sends answers
from the addresses that were asked (``pktinfo``). ``core_filler`` fills the native core with what
the chain and the policy's table have decided, and empties it when the site changes.
``rate_limit`` bounds what one client takes.
"""
