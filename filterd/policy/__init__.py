# SPDX-License-Identifier: Apache-2.0
"""Floor 2: who may see what. Pure: (client, qname, qtype, now) -> Verdict.

Three things are joined here::

    site.yaml, <tier>.yaml, catalogue        lists
              | config (own process)           | compiler (own process)
              v                                v
           Policy ----------- Engine --------- Index
                 name_rules: of the site         decision_table: (grade, claim set)
                              decide() -> Verdict with its provenance

* ``model``: the compiled policy, frozen data; ``policy_file``: its file.
* ``name_rules``: pins, protections and local rules, by name.
* ``decision_table``: what a set of lists means to a grade, the data that every reader of
  decisions shares. ``list_claims``: what they say of one question.
* ``timetable``, ``temporary_rules``: lessons, schedules, and what people set by command.
  ``effective_policy``: the plain policy that they make at a time, by ``calendar``,
  ``grade_changes`` and ``room_grades``. ``conflicts``: what of it means something else
  than it seems.
* ``precedence``: the order of rules. ``engine``: ``decide``, which joins them all.
* ``verdict``, ``client``: their words.

Time enters as an argument: nothing here reads a clock, opens a socket or waits.
"""
