# SPDX-License-Identifier: Apache-2.0
"""Floor 4: the chain. One Query in, one Answer out.

The life of a query:

1. A **listener** (floor 5 or 6) takes a message with the address and interface it
   came in by, and hands it to ``Resolver.admit``.
2. ``clients`` tells the **client**: its network, its grade. Whoever may not
   ask here gets silence.
3. ``wire`` parses header, question and EDNS within bounds into a frozen
   ``Query``. What is malformed gets FORMERR or silence.
4. The **chain** (``pipeline``, the one readable list) is asked. **local**
   answers the school's own and special-use names; **filter** asks
   ``policy.decide``: a block is answered at once, nothing was awaited.
   **rewrite** asks for the safe twin of a name where policy says so.
5. **cache** sits below policy, shared by all clients: answers, failures, and
   what has expired but is better than nothing. What it goes on asking when the
   client has its answer is kept in ``background_tasks``.
6. **forward** asks upstreams under one deadline; identical questions in flight
   share one exchange.
7. On the way out **filter** judges the aliases of the answer too, and all of
   it again where the site changed meanwhile; **rebinding** and **ech** take out
   what this client must not get.
8. ``answer_reply`` makes the message from the facts; the listener cuts it to the
   client's size and sends it from where it was asked.

Everything that a reload replaces is in one ``Site``; a query carries the one at
which it was admitted. ``explain`` tells people what steps 2 to 4 would say.
"""
