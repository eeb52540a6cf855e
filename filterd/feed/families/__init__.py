# SPDX-License-Identifier: Apache-2.0
"""Make look-alike rules of listed names, and estimate whom each would harm.

Whoever makes a version makes them: a publisher, and a school that follows public lists
(``filterd.feed.followed.version_content``). A publisher's people decide about families that make no
rule by themselves (``filterd.publish.review``). Lookups only match the rules that an index holds
(``filterd.lists.lookalikes``), and no process that serves them loads this package::

    lookalike_families   names that differ in digits or suffix only
    lookalike_rules      the rules that the lists of a category make
    lookalike_reach      where rules that say little hold: where no school stands
    lookalike_errors     an estimate of whom a rule harms
"""
