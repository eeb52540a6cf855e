# SPDX-License-Identifier: Apache-2.0
"""The formats in which blocklists are published.

A parser takes lines and yields their meaning (``parsed``) in terms of ``filterd.lists.rules``;
it keeps its format's own meaning of a name::

    format     a name alone means        can also express
    hosts      that host
    domains    it and all beneath
    wildcard   it and all beneath        that host (``=``)
    adblock    that host                 all but a regular expression: ``||name^``,
                                         exceptions, types, ``$denyallow``
    dnsmasq    it and all beneath        exceptions (``server=/name/#``)
    unbound    it and all beneath        that host (``local-data``), exceptions, A only
    rpz        that host                 what is beneath (``*.``), exceptions

Invariants. Parsers never raise and never do I/O; whatever a line is, the work
for it is bounded. A feature of a format that filterd does not support is reported, never
approximated: a list that is misread blocks names that its author did not mean.
No text from a list becomes a regular expression.
"""

from __future__ import annotations

from filterd.lists.formats import adblock, dnsmasq, domains, hosts
from filterd.lists.formats.adblock import parse_adblock
from filterd.lists.formats.dnsmasq import parse_dnsmasq
from filterd.lists.formats.domains import parse_domains, parse_wildcard
from filterd.lists.formats.hosts import parse_hosts
from filterd.lists.formats.parsed import Cancelled, Entry, Parsed, ParseList, PlainLine, Problem
from filterd.lists.formats.rpz import parse_rpz
from filterd.lists.formats.unbound import parse_unbound

__all__ = [
    "FORMATS",
    "PLAIN_LINES",
    "Cancelled",
    "Entry",
    "ParseList",
    "Parsed",
    "PlainLine",
    "Problem",
]

FORMATS: dict[str, ParseList] = {
    "hosts": parse_hosts,
    "domains": parse_domains,
    "wildcard": parse_wildcard,
    "adblock": parse_adblock,
    "dnsmasq": parse_dnsmasq,
    "unbound": parse_unbound,
    "rpz": parse_rpz,
}
"""Every format by the name that ``blocklists/catalog.yaml`` gives it."""

PLAIN_LINES: dict[str, tuple[PlainLine, ...]] = {
    "hosts": hosts.PLAIN,
    "domains": domains.DOMAINS_PLAIN,
    "wildcard": domains.WILDCARD_PLAIN,
    "adblock": adblock.PLAIN,
    "dnsmasq": dnsmasq.PLAIN,
}
"""The usual lines of the formats in which lists of a million names are published.

``filterd.lists.intake`` makes the same of such a line as its parser.
"""
