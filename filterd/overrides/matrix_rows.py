# SPDX-License-Identifier: Apache-2.0
"""Word what is set or scheduled over a cell of the policy's matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.rows import Column, Listing

if TYPE_CHECKING:
    from filterd.rows import Row, Wording

_OPENS = {True: say("opens it"), False: say("closes it")}
_LAYER = {
    "schedule": say("schedule {source}"),
    "setting": say("setting {source}"),
    "exception": say("exception {source}"),
    "pause": say("pause {source}"),
}


def _by(row: Row, by: Wording) -> str:
    return by.texts(_LAYER[row["layer"]], source=row["source"])


def _term(row: Row, by: Wording) -> str:
    until = by.clock.text(row["until"])
    if row["holds"]:
        return by.texts("in force until {when}", when=until) if until else by.texts("in force")
    return by.texts("from {when}", when=until) if until else by.texts("not now")


def told_of(row: Row, by: Wording) -> str:
    """Return a sentence on one change."""
    whom = Teller(*by).whom(row["audience"], row["whom"])
    what = by.texts(_OPENS[row["opens"]])
    return f"{_by(row, by)}: {what}, {whom}, {_term(row, by)}"


CHANGES = Listing(
    say("Set over it"),
    say("Nothing is set over it."),
    (
        Column(say("What"), worded=lambda row, by: by.texts(_OPENS[row["opens"]])),
        Column(say("Source"), worded=_by),
        Column(say("For"), worded=lambda row, by: Teller(*by).whom(row["audience"], row["whom"])),
        Column(say("Term"), worded=_term),
        Column(say("By"), "author"),
        Column(say("Reason"), "reason"),
    ),
)
