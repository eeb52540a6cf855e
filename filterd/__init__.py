# SPDX-License-Identifier: Apache-2.0
"""filterd: a policy-implementing DNS forwarder for the gateway of a school.

Every device of the school gets filterd as its resolver by DHCP. filterd decides
each lookup by the *age tier* of the client, and forwards the names that pass.

The floors. Imports go downwards only; ``make check`` enforces it::

    8 cli                            Typer: parse arguments, call one function, print
    7 appliance                      set up this gateway, find faults, back up, update
      web                            the dashboard and the API, a process without rights
    6 daemon | publish               the processes that serve | build and sign the feed
      monitor | blockpage            metrics and alerts | the page for pupils: own processes
      reports                        facts -> documents, tables, the inspection record
    5 fastpath | control             native: most datagrams | the control socket's client
      feed                           fetch, judge, activate versions of the lists
      operations                     what a school does: parameters and changes, for each face
    4 resolve                        the chain: one Query in, one Answer out
      accounts                       roles, passwords, sessions, tokens: the manager's part
    3 upstream | clients             ask other resolvers | which client asks
      querylog | overrides           remember lookups | changes by command, with history
    2 config                         YAML -> policy, in a process of its own
      policy                         pure: (client, qname, qtype, now) -> Verdict
    1 lists                          list text -> rules -> compiled index -> suffix lookup
    0 wire | documents               DNS messages as bytes, never trusted | YAML with places
      http                           downloads within bounds, and a small server
      base                           errors, clock, files, children of the process
      texts                          sentences in two languages, rows and tables of them

Words, beside those of RFC 9499 (qname, owner name, RRset, stub, upstream, ...):

tier
    An age group: ``preschool``, ``primary``, ``lower-secondary``,
    ``upper-secondary``, ``continuing``, ``staff``, ``guest``.
grade
    A class year, 1 to 12, or ``preschool``, ``continuing``, ``staff``,
    ``guest``. It belongs to one tier and may refine it. Its *age* is that
    of its youngest pupils.
class
    A class (lớp) of the school, ``6A``. It has the policy of its grade under a key of
    its own, and *teachers*, users of the gateway. Rules are narrower in this order:
    tier, grade, class, network, client.
network
    How clients are recognised (CIDR, interface). It carries a grade or a class, whose
    home room it is then; a *room* has those of its timetable. A client of no network is
    treated as the strictest tier that the site has.
category
    The subject of a list: ``porn``, ``gambling``, ``games``, ... A *locked*
    category is closed to every grade.
list, entry, index
    A published source of names of one category; one line of it; the file
    compiled from all lists, which lookups read.
claim, claim set
    The statement of one entry on a name, without the name; all claims on one name,
    stored once in the index under a small number.
pin, protect
    A name that nothing may block; a name that third-party lists may not block.
verdict
    The decision of policy on one question: an action with its provenance. A
    block is a value, never an exception.
name
    In code always ``bytes``: the lower-case, uncompressed wire form
    (RFC 1035 §3.1), because in text the one label ``a.b`` and the two
    labels ``a`` and ``b`` are the same. Text is for people, at the edges.
site
    One policy and one index at one moment, with everything derived from them: all
    that a reload replaces.
epoch
    The number of an activation. The present one is a word of shared memory, by
    which a worker sees cheaply whether its site is still the active one.
log level, view
    How much the query log keeps of the lookups of a tier: ``off``, ``counts``, ``names``,
    ``blocked`` or ``full`` (``policy.log_levels``). A part of it that a *role* may read
    (``overrides.rights.read_access``).
account, session, grant
    A person of the web and the API, kept by the manager; one sign-in of that person on one
    device; the rights by which one request is judged. An *origin* is the address of the
    device as failed sign-ins count it; *step-up* is to give the password again for what is
    dangerous.
overrides, change
    Rules set by commands, beside the site's files; one such command, checked and
    recorded in the history.
link
    One step of the chain in ``resolve``: it answers a query, or passes it on and
    may alter the answer.
fast path
    The native code that answers repeated and blocked queries before the chain. It
    has no policy of its own: it reads decision cells and repeats answers.
client group
    Clients for which every rule is the same: of one grade and one network, or one client
    that a rule names. The fast path repeats an answer within a group only.
decision cell
    The decision for one grade and one claim set, as the fast path reads it.
tally
    What an answer is counted under: its source, the grade, category and action, and the
    *blocker*, the id of the list or rule that blocked. With network and class of the client
    it is a cell of the log's counts, which the chain and the fast path fill alike. A cell
    also has the number of distinct devices, up to a bound, and no address.
reach
    The distinct devices behind a cell of a school day, by tier or by grade, capped. Cells of
    fewer than k devices (5) do not leave the school.
question, its forms
    ``Datagram`` (a message and its source) with the ``Question`` that native code reads in
    it; ``ParsedQuery`` (all of the message), ``Query`` (with client and site, for the
    chain); ``UpstreamQuestion`` (what upstreams are asked, and by which route: the key of
    cache, failures and exchanges); the ``Exchange`` in flight.
answer, its forms
    ``ParsedResponse`` (an upstream's message), ``Resolution`` (what may be kept of it, with
    its rebuilt sections), the cache's entry or ``Failure``, ``Answer`` (of the chain, for
    one client), the reply (octets), the packet cache's entry or a block's template.
plain
    Of a resolution: every link of the chain leaves it unchanged, so that the fast path
    may send it.
guard
    The process that judges a new version of the lists before it is activated. In
    ``lists``: pins and protections, which take entries out.
ring
    One of three groups of appliances, chosen anew for each version, that take a
    version one after the other: 1 %, 10 %, then all.
"""

from filterd.version import __version__

__all__ = ["__version__"]
