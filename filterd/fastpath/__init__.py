# SPDX-License-Identifier: Apache-2.0
"""Floor 5: most datagrams, answered before the chain. It has no policy of its own.

It repeats what the chain has answered, blocks what the lists and the policy's table
close, and forwards directly what no rule concerns. The chain answers all the rest. The
walks of four questions of a known client, each with the functions that it passes::

    Datagrams.receive              a batch from the kernel (recvmmsg)
      | Core.begin                 the client's group; the question is read, once
      | Core.look, Core.approach
      | SourceTable.judge_words    over its limit: a hint, or nothing
      | Core.finish
      |   |- Replay.answer         REPEATED: the packet cache holds the reply
      |   '- Table.judge           BLOCKED: Table.write completes the template
      |
      | Datagrams.take             known clients first; a Datagram holds what was read
    UdpListener.ask_the_chain  <-- all that no line here answers
      |
      | Relay.take                 the question is open: no rule concerns its name
      |   |- ResolutionStore.plain      the cache holds an answer to be sent as it is
      |   '- Flights.ask                MISS: see resolve for the upstreams' part
      | Relay.take_outcome
      |   |- Resolution.plain           the links leave the answer alone, and
      |   |- Core.lets_through          no rule concerns a target: sent, and then
      |   |    |- ResolutionStore.put
      |   |    '- Replay.note           repeated from now on
      |   '- UdpListener.ask_the_chain  ALIAS to a listed name, or not plain
      |
    Resolver.respond               the chain, with what upstreams have answered
      '- FastPath.noted            to Replay.note, if the answer may be repeated

The fast path is native; where nothing was built the chain answers everything, behind the
same limits. ``datagrams`` receives, in batches if native, and sends answers from the
addresses that were asked (``pktinfo``). ``udp_listener`` runs the chain for the rest, by
``coroutine_runner``. ``core_filler`` fills the native core with what the chain and the
policy's table have decided, within ``core_contract``, under the numbers of ``core_numbers``, and
empties it when the site changes.
``rate_limit`` bounds what one client takes.

The core counts its answers by client group and tally, with a capped set of short keyed
hashes of devices to each pair (``Core.count``). ``FastPath.settle`` moves them to the
counters and to the log's ``Counts``, as the network of the group: before a batch of the
log is taken, before groups get new numbers, every ten seconds. A pair beyond the bound is
counted without its network, a blocker beyond it as ``OTHER``; no answer is left out.

Two predicates of ``resolve.pipeline`` bound the fast path: ``Chain.leaves_alone``, whose
result is ``Resolution.plain``, and ``Chain.must_see``: a client whose answers a link or an
observer must see is not learnt (``FastPath.learn``), so that the chain answers all its
questions.
"""
