# SPDX-License-Identifier: Apache-2.0
"""Judge whether an authentic version may be activated, before it is.

Publishers have signed bad lists: ``google.com`` blocked, all of ``.com`` blocked, a table with
one field too many. So each version is compiled as it would be served and
asked what a school would ask, in a process of its own that may die over it::

    judge ──► python -m filterd.feed.guard ──► index and policy, and the findings
              memory and time are bounded       any other output is a refusal

A finding is a **note**, a reason to **hold** the version until an administrator approves of it,
or a reason to **refuse** it for good.

``judgement``     start the child, bound it, check the findings that it prints
``candidate``     how the files are written; the version compiled and asked as every client, what
                  is active, what ships
``provenance``    what is closed by order, and who has signed it
``must_block``    names that must be blocked: drawn from the lists, canaries, expectations
``must_resolve``  names that must not be blocked, suffixes no list may hold, safe search targets
``limits``        how much of lists may come or go at once; the publisher's limits too
``tables``        the same of tables; every field of an entry is compared, or exempt with a reason
``impact``        popular names and the recorded lookups, compared to what is active
``checks``        all of these, in their order
"""

from filterd.feed.guard.judgement import (
    ASKED_LITTLE,
    Finding,
    JudgedSchool,
    Judgement,
    ServedFiles,
    Severity,
    judge,
)

__all__ = [
    "ASKED_LITTLE",
    "Finding",
    "JudgedSchool",
    "Judgement",
    "ServedFiles",
    "Severity",
    "judge",
]
