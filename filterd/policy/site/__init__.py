# SPDX-License-Identifier: Apache-2.0
"""From the YAML of a school to the compiled policy, in a process of its own.

::

    site.yaml   <tier>.yaml ...        blocklists/
        | files, loading (schema, tiers)   | filterd.lists.catalog
        v                                  v
    SiteSources ------ compile ------- Catalog ------> building: the lists of both
                          |   grades, services, zones, lessons, schedules, exceptions
                          v
                  filterd.policy.model.Policy --writing--> one checksummed file, and beside
                                                           it what it was made of (origin)

The serving process calls ``process.compile_in_child`` and then loads the file;
of this package it imports nothing else, because all the rest brings PyYAML and
pydantic. So this module re-exports nothing.

Invariants. A key that nobody knows is an error. Every problem is found in one
run, each with file:line:column. A compiled policy is written only when there is
no problem at all, so a bad edit leaves the old policy in force; what comes by itself
meanwhile, new lists above all, goes by the site as it last was good (``files``).
"""
