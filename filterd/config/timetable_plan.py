# SPDX-License-Identifier: Apache-2.0
"""Plan the import of a timetable: what each network of a table will have.

``filterd timetable import`` and the table that is pasted into a page read and show it by this
one function. Only networks that ``site.yaml`` itself declares as rooms get a timetable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.config import timetable_rows
from filterd.config.grades import grades_of
from filterd.config.site_reader import declared_networks
from filterd.config.week_schema import TIMETABLE_FILE
from filterd.documents import load
from filterd.policy.timetable_changes import change_row, seats_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from filterd.policy.model import Network, Policy
    from filterd.texts.rows import Row, Table


class TimetablePlan(NamedTuple):
    """The networks of a table with their timetables, and what is left out.

    Attributes:
        networks: those that the table names.
        left_out: the cells that name no room of this site.
        imported: the networks that have an imported timetable now.
        changes: what the networks will have, as rows of ``policy.timetable_changes``; with
            those whose imported timetable the table no longer has.
    """

    networks: tuple[Network, ...]
    left_out: tuple[str, ...]
    imported: tuple[str, ...]
    changes: tuple[Row, ...]


def plan(
    table: Table, path: str, config: Path, policy: Policy, others: Collection[str] = ()
) -> TimetablePlan:
    """Return what a table would set.

    Args:
        table: its rows.
        path: its name in errors.
        config: the folder of ``site.yaml``, which declares the rooms.
        policy: of the site's files.
        others: rooms that no filter concerns, as the table calls them.

    Raises:
        FilterdError: all that is wrong with the table, each with its cell, or with the site.
    """
    declared = declared_networks(config)
    rooms = [network for network, one in declared.items() if one.is_room]
    networks, left_out = timetable_rows.parse(table, path, policy, rooms, others)
    now = {one.id: seats_of(one) for one in policy.networks}
    then = {one.id: seats_of(one) for one in networks}
    imported = _imported(config)
    for one in imported:
        if one in declared and one not in then:  # it has again what site.yaml says
            then[one] = tuple(sorted(grades_of(declared[one])))
    changes = (change_row(policy, one, now[one], seats) for one, seats in then.items())
    return TimetablePlan(networks, left_out, imported, tuple(changes))


def _imported(config: Path) -> tuple[str, ...]:
    path = config / TIMETABLE_FILE
    found = load(path).data if path.exists() else {}
    return tuple(map(str, found)) if isinstance(found, dict) else ()
