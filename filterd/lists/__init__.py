# SPDX-License-Identifier: Apache-2.0
r"""Floor 1: lists: text -> one compiled index; a name -> the entries that list it.

A school's lists hold millions of names, change once a day and are read at every
lookup. So they are compiled once into a file that lookups read where it lies::

    source_text   octets -> lines, bounded
         |
    formats       a line -> entry, cancellation or problem, as its format defines
         |
    intake        names -> keys, claims -> ids; refuses what no list may name; a line in its
         |        format's plain shape becomes a record at once
    sort_records  one bytes for each entry; sorted, everything beneath a name is one run;
         |        takes pinned and protected names out
    packing       records -> blocks, claim sets, lines, hashes -> slots -> a file: digested,
         |        synced, verified, renamed
    index         opens it: name -> matcher -> hits -> entries with list and line

``list_merge`` makes one list of all third parties' lists of a category; ``lookalikes`` finds names
that a look-alike rule of an index fits (``filterd.feed.families`` makes such rules). ``top_names``
are popular names, which no list of danger means, and names of schools.

``compiler`` runs the steps and measures progress, ``report`` counts what was taken and
refused; ``catalogs`` reads which lists a publisher has; ``rules`` (pins, protections) and
``public_suffix`` define which names lists must leave alone. ``index_files`` replaces an index on
the disk, ``list_queries`` answers questions about one, ``listed_names`` walks through its names,
``category_coverage`` shows how far its lists cover each category.

A *service* is a list whose few names are in the catalogue or the site (``catalog_schema``).

Nouns. An *entry* is one line of a list; its *claim* is its statement about the name
(``rules``). A *key* is a name as the index sorts it (``hostname``), a *rank* its place:
block and position. A *claim set* is the set of all claims on one name. A *hit* is a
listed name that is the name looked up or an ancestor of it: which claims then hold, for
which question, is policy's to decide.

Formats (``formats`` has the whole table) and which names an entry is about::

    hosts      0.0.0.0 example.com      that host
    domains    example.com              it and all beneath
    wildcard   *.example.com            it and all beneath
    adblock    ||example.com^           it and all beneath; ``@@`` excepts
    dnsmasq    local=/example.com/      it and all beneath
    unbound    local-zone: example.com  it and all beneath
    rpz        example.com CNAME .      that host; ``*.`` all beneath without it

The file (``index_format`` has every octet of it)::

    header         counts, places, digest                          read on opening
    blocks         names, front-coded, each with its claim set     read for a hit
    slots          hash -> block and position                      read for every label
    lines          per name, the line of each of its claims        read to explain
    line_offsets   per block, where its lines start                read to explain
    contents       lists, claims, claim sets                       read on opening
    report         what was taken and refused                      read to explain

Invariants.

- No false positive: fingerprints route a lookup, octets decide it.
- Nothing is lost: every kept entry is found again with its list and line, and
  every line that is not kept is counted and reported with its reason.
- The same lists, guards and time give the same octets, compiled natively or not.
- An index is verified before it replaces another, by renaming; a process that has the
  old one open is not disturbed.
- A damaged index leads to an error, never outside its sections.

The matcher, packing, the scan of plain lines, the survey and text of sorted records and the
registered names are native where that was built (``filterd.base.native``); everything else is
plain Python.
"""
