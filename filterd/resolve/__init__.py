# SPDX-License-Identifier: Apache-2.0
"""Floor 4: the chain. One Query in, one Answer out.

The life of a query:

1. A **listener** (floor 5 or 6) takes a message with the address and interface it
   came in by, and passes it to ``Resolver.admit``.
2. ``clients`` identifies the **client**: its network, its grade. A client that is
   not allowed gets no reply.
3. ``wire`` parses header, question and EDNS within bounds into a frozen
   ``Query``. A malformed message gets FORMERR or no reply.
4. The **chain** (``pipeline``, the one readable list) is asked. **local**
   answers the school's own and special-use names; **filter** asks
   ``policy.decide``: a block is answered at once, without waiting.
   **rewrite** asks for the safe-search twin of a name where policy decides so.
5. **cache** sits below policy, shared by all clients: answers, failures, and
   expired answers, which are better than none. Queries that go on after the
   client has its answer are kept in ``links.cache.Background``.
6. **forward** asks upstreams under one deadline; identical questions in flight
   share one exchange.
7. On the way out **filter** judges the aliases of the answer too, and all of
   it again where the site changed meanwhile; **rebinding** and **ech** take out
   what this client must not get.
8. ``answer_reply`` composes the message from the facts: what a blocked A, AAAA or other
   query gets, and the TTL of each answer. The listener cuts it to the client's size and
   sends it from the address that was asked.

``resolver`` is the interface, ``query`` has question and answer, ``site`` is all that a reload
replaces. **local** answers from ``zones`` and ``special_use``. **cache** keeps ``cache_entry``
in ``cache_store`` (or the native ``_cache``); how long, stands in ``links.cache``. **forward**
tells ``tunnel_counter`` what upstreams are asked for, as direct forwarding does.

The walks of four questions, each with the functions that it passes::

    Resolver.admit                 ParsedQuery -> Query, with client and site
      | Chain.handler              the links of pipeline.links, in their order
      | Filter._decide
      |   '- Engine.decide         BLOCKED: an Answer; nothing below is asked
      | ResolutionStore.get        REPEATED: an Answer of the cache
      | Forwarder.resolve          MISS
      |   | Flights.ask            joins an equal UpstreamQuestion in flight
      |   | Exchange.start         one server after the other, under one deadline
      |   | parse_response         ParsedResponse
      |   | resolution_of          Resolution: what may be kept
      |   | Chain.leaves_alone     marks it plain, once
      | ResolutionStore.put
      | Filter._judge_targets
      |   '- Engine.decide_target  ALIAS to a listed name: BLOCKED by its target
    answer_reply.compose           Answer -> reply
      '- Resolver.noted            to the packet cache (fastpath)

A query carries the ``Site`` at which it was admitted. ``explain`` makes an ``explanation`` of
the result of steps 2 to 4, ``block_reason`` what the client may know of it; ``what_if``
(``what_if_rows``) judges recorded lookups by two sites, by the same functions.
``expectation_checks`` and ``rewrite_targets`` check a site's own claims.
"""
