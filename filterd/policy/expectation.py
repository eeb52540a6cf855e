# SPDX-License-Identifier: Apache-2.0
"""What a school expects of its policy: frozen data, compiled from ``expectations/*.yaml``.

``filterd.resolve.expectation_checks`` holds a site to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from filterd.policy.model import Audience  # noqa: TC001 -- to read a file it is needed


@dataclass(frozen=True, slots=True)
class Expectation:
    """A name that passes, or is blocked, for somebody.

    ``audience`` is a tier (every grade of it), a grade, a network (whoever sits
    there then) or everybody (every grade). When: at the Unix time ``at``; or when
    the school's clock shows ``second`` after midnight on the next ``weekday`` (0
    is Monday); or, where all three are None, schedules apart. ``written`` is how
    it stands in its file. ``shipped``: it comes with filterd, and yields to the
    school's own exceptions.
    """

    name: bytes
    blocked: bool
    audience: Audience
    whom: str
    written: str
    path: str
    line: int
    at: float | None = None
    weekday: int | None = None
    second: int | None = None
    shipped: bool = False
