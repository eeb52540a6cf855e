# SPDX-License-Identifier: Apache-2.0
"""Floor 2: from the YAML of a school to the compiled policy, in its own process.

::

    site.yaml   <tier>.yaml ...        blocklists/
        | site_reader                      | filterd.lists.catalogs.catalog
        | site_schema, week_schema,        |
        | reporting_schema, tiers,         |
        v firewall_schema                  v
    SiteSources ------ compile ------- Catalog ------> lists_build: the lists of both
                          |   grades, local_rules, local_zones, schedules
                          v
                  filterd.policy.model.Policy --build_record--> one checksummed file, and
                                              beside it what it was made of (build_record)

``destinations`` reads ``site.yaml`` alone, for root and the monitor: where secrets, alerts and
reports go (``compile_run.read_destinations``), which no process of less right may name.

The serving process calls ``compile_run.compile_in_child`` and then loads the file;
of this package it imports nothing else, because all the rest brings PyYAML and
pydantic. So this module re-exports nothing.

``scalars`` are the single values of all schemas. ``expectation_files`` compiles expectations,
``imported_settings`` converts those of other filters, ``site_proposal`` is a ``site.yaml`` that
waits for its owner. ``timetable_words``, ``timetable_rows`` and ``timetable_plan`` read a table of
lessons; ``pasted_timetable`` does it in a child of the daemon.

Invariants. An unknown key is an error. Every problem is found in one
run, each with file:line:column. A compiled policy is written only when there is
no problem at all, so a bad edit leaves the old policy in force; what comes by itself
meanwhile, new lists above all, goes by the site as it last was good (``SiteFiles``).
"""
