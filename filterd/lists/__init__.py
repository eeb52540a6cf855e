# SPDX-License-Identifier: Apache-2.0
r"""Lists: from their text to one compiled index, and from a name to the entries that name it.

::

    text -> formats -> intake -> records -> refusals -> packing -> builder -> file
            entries    keys,     sorted     pins,       sections   layout,    |
                       refusals             protections            digest     v
                                               name -> index -> matcher -> hits

Nouns. An *entry* is one line of a list; its *claim* is what it says of its name
(``rules``). A *key* is a name as the index sorts it (``hostname``), a *rank* its
position there. A *claim set* is all that all lists say of one name. A *hit* is a
listed name that is the name looked up or an ancestor of it: which claims then
hold, for which question, is policy's to decide.

Invariants.

- No false positive: fingerprints route a lookup, octets decide it.
- Nothing is lost: every kept entry is found again with its list and line.
- The same lists, guards and time give the same octets, compiled natively or not.
- An index is verified before it replaces another, by renaming; whoever has the
  old one open is not disturbed.
- A damaged index leads to an error, never outside its sections.

``matcher`` and ``packing`` choose between a native module and a pure twin
(``twins``); everything else is plain Python.
"""
