# SPDX-License-Identifier: Apache-2.0
"""The guard: whether a version that is authentic may come in force, asked before it does.

Whoever signs lists has signed a bad one once: ``google.com`` blocked, all of
``.com`` blocked, a table with one field too many (reliability.md E). So each
version is compiled as it would be served and asked what a school would ask, in a
process of its own that may die over it::

    judge ──► python -m filterd.feeds.guard ──► index and policy, and what was found
              memory and time are bounded       whatever else comes is a refusal

What is found is a **note**, a reason to **hold** the version until somebody has
looked and approved of it, or a reason to **refuse** it for good.

``judgement``  what was found, and how one process tells it to another
``process``    this side of the child: start, bound, believe nothing
``files``      how the files of a version are written
``candidate``  the version compiled, and what is in force beside it
``asking``     a name and everybody who may ask for it
``golden``     questions whose answers the version's own lists give
``shipping``   what ships, as this school would be served it: compared with as well
``essentials`` names that must not be blocked, suffixes that must not be listed
``rewrites``   where safe search may lead
``tables``     how much of pins, protections, services, categories, holidays may go or come
``changes``    popular names and what the school asks for, compared to what is in force
``limits``     how much of it may change at once; the publisher goes by it, too
``canaries``   names that must be blocked, and what the school expects
``checks``     all of these, in their order
"""

from filterd.feeds.guard.judgement import Finding, Judgement, Severity
from filterd.feeds.guard.process import InForce, School, judge

__all__ = ["Finding", "InForce", "Judgement", "School", "Severity", "judge"]
