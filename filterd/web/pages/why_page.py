# SPDX-License-Identifier: Apache-2.0
"""The page that explains a name for a class, with the form that opens it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError
from filterd.operations.exceptions import ALLOW, BLOCK
from filterd.operations.policy import IDS
from filterd.overrides.descriptions import Describer
from filterd.overrides.rights.roles import Role
from filterd.resolve.explanation import EXPLANATION, may_be_closed, passes, targets_to_open
from filterd.texts import counted, words
from filterd.texts.i18n import say
from filterd.web.form_choices import rooms, seats
from filterd.web.operations.policy_operations import CHECK
from filterd.web.operations.room_operations import ROOM_READ as ROOM
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.texts.rows import Row, Wording
    from filterd.web.form_choices import Options
    from filterd.web.visitor import Visitor

_FIELDS = ("name", "whom", "client", "at")
_FACTS = EXPLANATION._replace(
    columns=tuple(
        column
        for column in EXPLANATION.columns
        if column.heading not in ("Question", "Answer", "To change it", "Asked")
    )
)
_ADVICE = next(column for column in EXPLANATION.columns if column.heading == "To change it")
_LENGTHS_S, _WEEK_S = (45 * 60, 2 * 3600), 7 * 86_400


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    by, given = visitor.wording, {key: query.get(key, "") for key in _FIELDS}
    ids = await visitor.call(IDS)
    shown: dict[str, Any] = {
        "given": given,
        "seats": [("", by.texts("the strictest client")), *seats(ids, by), *rooms(ids, by)],
        "found": None,
        "problem": "",
    }
    if not given["name"]:
        return shown
    try:
        found = await visitor.call(CHECK, **await _question(visitor, given))
    except FilterdError as error:  # such as a name that is none: the form stays
        return shown | {"problem": error.translated(visitor.language)}
    if given["at"]:  # the time of the question, as ``filterd check`` has it in its answer
        found["at"] = datetime.fromisoformat(given["at"]).replace(tzinfo=by.clock.zone).isoformat()
    may_change = visitor.may(ALLOW) and not given["at"]
    opens = targets_to_open(found) if may_change else []
    closes = [found["qname"]] if may_change and may_be_closed(found) else []
    return shown | {
        "found": found,
        "is_open": (is_open := passes(found["action"])),
        "verdict": by.texts.word(words.ACCESS, "open" if is_open else "closed"),
        "facts": _FACTS.filled(found, by),
        "advice": "" if opens or closes else _ADVICE.cell(found, by)[0],
        "operation": ALLOW if opens else BLOCK,
        "targets": [(one, _target(one, by)) for one in opens or closes],
        "set_by": _set_by(found) if may_change else "",
        "audiences": _audiences(found, given["whom"], ids, visitor),
        "terms": _terms(visitor),
    }


async def _question(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a check: of a device, or of a class, grade or room."""
    asked = {key: given[key] for key in ("name", "at") if given[key]}
    if given["client"]:
        return asked | {"client": given["client"]}
    kind, _, seat = given["whom"].partition(":")
    if kind == "network":
        row = await visitor.call(ROOM, room=seat)
        seat = row["class"] or row["grade"]
    return asked | ({"grade": seat} if seat else {})


def _set_by(found: Row) -> str:
    """Return the number of the exception or pause that decides; empty for none."""
    source = found["entry"] if found["reason"] == "local" else found["changed_by"]
    kind, _, number = (source or "").partition(":")
    return number if kind in ("exception", "pause") else ""


def _target(target: str, by: Wording) -> str:
    kind, _, service = target.partition(":")
    if kind == "service":
        return by.texts("all of the service {service}", service=service)
    return by.texts("{name} and all beneath it", name=target)


def _audiences(found: Row, whom: str, ids: Row, visitor: Visitor) -> Options:
    """Return for whom this person may open it, the narrowest for the question first."""
    by, own = visitor.wording, visitor.classes
    tell = Describer(*by)
    asked = [room for room in rooms(ids, by) if room[0] == whom]
    if found["client"]:
        asked.append((f"client:{found['client']}", by.texts("this device")))
    if found["class"] and (own is None or found["class"] in own):
        asked.append((f"class:{found['class']}", tell.grade(found["class"])))
    if own is None:
        asked.append((f"grade:{found['grade']}", tell.grade(found["grade"])))
    rest = [*seats(ids, by, own), *rooms(ids, by)]
    if Role.ADMIN in visitor.roles:
        rest.append(("everybody", tell.whom("everybody", "")))
    return list(dict.fromkeys([*asked, *rest]))


def _terms(visitor: Visitor) -> Options:
    """Return for how long it may be opened; a teacher's choices end today."""
    texts, now = visitor.texts, visitor.clock.shows(visitor.clock.now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    lengths = [(str(n), texts(counted.duration(n))) for n in _LENGTHS_S]
    found = [("lesson", texts("until the bell")), *lengths]
    found.append((str(int((midnight - now).total_seconds())), texts("until the end of today")))
    if Role.ADMIN in visitor.roles:
        found.append((str(_WEEK_S), texts(counted.days(7))))
    return found


PAGE = Page(path="/why", title=say("Why is a name closed?"), template="why.html", load=_load)
