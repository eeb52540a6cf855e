# SPDX-License-Identifier: Apache-2.0
"""filterd: the policy-implementing DNS forwarder that a school runs at its gateway.

Every device of the school gets filterd as its resolver by DHCP. filterd decides
each lookup by the *age tier* of whoever asks, and forwards what may pass.

The floors. Imports go downwards only; ``make check`` enforces it::

    7 cli                            Typer: parse arguments, call one function, print
    6 daemon | publish               the processes that serve | build and sign the feed
    5 fastpath                       native: most datagrams, answered before the chain
      feed | control                 fetch, judge, activate versions | the control socket's client
    4 resolve                        the chain: one Query in, one Answer out
    3 upstream | clients             ask other resolvers | which client asks
      querylog | overrides           remember lookups | what commands have set, and its history
    2 config                         YAML -> policy, in a process of its own
      policy                         pure: (client, qname, qtype, now) -> Verdict
    1 lists                          list text -> rules -> compiled index -> suffix lookup
    0 wire                           DNS messages as bytes: bounded, never trusted
      documents  state_folder  state_file  paths  errors  clock  journal  privileges  native

Words, beside those of RFC 9499 (qname, owner name, RRset, stub, upstream, ...):

tier
    An age group: ``preschool``, ``primary``, ``lower-secondary``,
    ``upper-secondary``, ``continuing``, ``staff``, ``guest``.
grade
    A class year, 1 to 12, or ``preschool``, ``continuing``, ``staff``,
    ``guest``. It belongs to one tier and may refine it. Its *age* is the
    youngest in it.
network
    How clients are recognised (CIDR, interface). It carries a grade. A client
    of no network is treated as the strictest tier that the site has.
category
    What a list is about: ``porn``, ``gambling``, ``games``, ... A *locked*
    category is closed to everybody.
list, entry, index
    A published source of names of one category; one line of it; all lists
    compiled into the file that lookups read.
pin, protect
    A name that nothing may block; a name that third-party lists may not block.
verdict
    What policy says of one question: an action and where it comes from. A
    block is a value, never an exception.
name
    In code always ``bytes``: the lower-case, uncompressed wire form
    (RFC 1035 §3.1), because text cannot tell the one label ``a.b`` from the
    two labels ``a`` and ``b``. Text is for people, at the edges.
"""

from filterd.version import __version__

__all__ = ["__version__"]
