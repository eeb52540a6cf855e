# SPDX-License-Identifier: Apache-2.0
"""THE table of what each role may read of the query log. Pure.

One table for the groups of the gateway and for accounts. What a view shows beyond totals
is recorded in the history (``daemon.manager.change_service``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import Role
from filterd.texts import words
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.overrides.rights.roles import Author


class View(StrEnum):
    """A view of the query log."""

    TOTALS = "totals"
    """Of the school, its tiers and grades."""
    CLASS_TOTALS = "class-totals"
    """Of a class or network; for a teacher: of own classes, today."""
    CLASS_NAMES = "class-names"
    """Today's names that k pupils' devices of a class asked for; a teacher: of own classes."""
    NAMES = "names"
    """Distinct names by tier and day."""
    ROWS = "rows"
    """Lookups with time, class and pseudonym, as far as the level has them; live ones too."""
    LIVE = "live"
    """As they happen: lookups to who sees them; for a teacher: how many blocks own classes have."""
    HELP = "help"
    """Yes or no for a confidential category and a month that is over, in a large school."""
    EXPORT = "export"
    """Totals for outside the school, with small cells suppressed."""
    DAY = "day"
    """One day for an inspection: totals, exceptions, history."""
    INSPECTION = "inspection"
    """The signed inspection record, which has neither names nor persons."""


_SCHOOL = frozenset((Role.READER, Role.TEACHER, Role.PRINCIPAL, Role.INSPECTOR, Role.ADMIN))

READERS = {
    View.TOTALS: _SCHOOL,
    View.CLASS_TOTALS: frozenset((Role.TEACHER, Role.ADMIN)),
    View.CLASS_NAMES: frozenset((Role.TEACHER, Role.ADMIN)),
    View.NAMES: frozenset((Role.ADMIN,)),
    View.ROWS: frozenset((Role.ADMIN,)),
    View.LIVE: frozenset((Role.TEACHER, Role.ADMIN)),
    View.HELP: frozenset((Role.PRINCIPAL,)),
    View.EXPORT: frozenset((Role.PRINCIPAL, Role.ADMIN)),
    View.DAY: frozenset((Role.INSPECTOR, Role.PRINCIPAL, Role.ADMIN)),
    View.INSPECTION: frozenset((Role.INSPECTOR, Role.PRINCIPAL, Role.ADMIN)),
}
"""The roles that may see each view."""

RECORDED = frozenset(
    (View.CLASS_NAMES, View.NAMES, View.ROWS, View.HELP, View.EXPORT, View.INSPECTION)
)
"""The views of which the history records that they were looked at."""


def check_view(author: Author, view: View) -> None:
    """Refuse a view that the author's roles do not have.

    Raises:
        ControlError: it names the groups that may.
    """
    if author.roles.isdisjoint(READERS[view]):
        groups = ", ".join(role.group for role in Role if role in READERS[view])
        raise ControlError(
            say(
                "{name} may not look at {view}; root and these groups may: {groups}",
                name=author.name,
                view=words.VIEW[view],
                groups=groups,
            )
        )
