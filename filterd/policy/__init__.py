# SPDX-License-Identifier: Apache-2.0
"""Floor 2: policy, as one pure function: (client, qname, qtype, now) -> Verdict.

Two compiled files are joined here::

    site.yaml, <tier>.yaml, catalogue        lists
        | config (own process)           | compiler (own process)
        v                                v
      Policy ----------- Engine --------- Index
        name_rules: of the site         list_claims: (grade, claim set)
                     decide() -> Verdict with its provenance

* ``model``: the compiled policy, frozen data, and ``Client``; ``policy_file``: its file.
* ``name_rules``: pins, protections and local rules, by name.
* ``list_claims``: the meaning of a set of lists for a grade, the data that every reader of
  decisions shares, and the list entries for one question.
* ``temporary_rules``: what people set by command. ``effective_policy``: the policy that
  results at a time, by ``calendar`` and ``grade_changes``; ``unknown_time``: while the
  time is not known. ``conflicts``: settings with an unexpected effect.
  ``guarded_categories``: what only an administrator opens, for a time. ``category_parts``:
  what a setting of a category means for its parts.
* ``precedence``: the order of rules. ``engine``: ``decide``, which joins them all.
  ``verdict``: the result. ``plain_sets``: what the fast path may decide of it.
* ``log_levels``, ``confidential_names``: what the log may keep. ``reporting_settings``: alerts
  and reports. ``firewall_settings``: what the firewall closes.
* For people: ``grade_rows``, ``policy_matrix``, ``school_week``, ``timetable_changes``.
* ``field_checks``: what a single value of a site's file or of a change may be.

Time is an argument: nothing here reads a clock, opens a socket or waits.
"""
