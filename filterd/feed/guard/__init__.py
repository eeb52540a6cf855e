# SPDX-License-Identifier: Apache-2.0
"""The guard: whether a version that is authentic may come in force, asked before it does.

Publishers have signed bad lists: ``google.com`` blocked, all of
``.com`` blocked, a table with one field too many (reliability.md E). So each
version is compiled as it would be served and asked what a school would ask, in a
process of its own that may die over it::

    judge ──► python -m filterd.feed.guard ──► index and policy, and what was found
              memory and time are bounded       whatever else comes is a refusal

What is found is a **note**, a reason to **hold** the version until an administrator has
looked and approved of it, or a reason to **refuse** it for good.

``guard_report``     what was found, as one process hands it to another
``guard_run``        this side of the child: start, bound, believe nothing
``format_check``     how the files of a version are written
``candidate``        the version compiled, and what is in force beside it
``probe_clients``    a name and each kind of client that may ask for it
``golden_questions`` questions whose answers the version's own lists give
``shipped_version``  what ships, as this school would be served it: compared with as well
``must_resolve``     names that must not be blocked, suffixes that must not be listed
``rewrite_targets``  where safe search may lead
``table_limits``     how much of pins, protections, services, categories, holidays may go or come
``impact``           popular names and what the school asks for, compared to what is in force
``limits``           how much of it may change at once; the publisher goes by it, too
``canaries``         names that must be blocked, and what the school expects
``checks``           all of these, in their order
"""

from filterd.feed.guard.guard_report import Finding, Judgement, Severity
from filterd.feed.guard.guard_run import JudgedSchool, ServedFiles, judge

__all__ = ["Finding", "JudgedSchool", "Judgement", "ServedFiles", "Severity", "judge"]
