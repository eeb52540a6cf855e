# SPDX-License-Identifier: Apache-2.0
"""``filterd exam``: a room sees for a time only what its exam needs.

The names and services stand in a file, one a line; ``#`` begins a comment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.privileges import own_rights
from filterd.base.state_file import to_plain
from filterd.cli import terminal
from filterd.cli.change_request import made_of, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.effective_state import policy_clock, set_now
from filterd.cli.named_files import check_folder, read_text, write_named
from filterd.cli.render import show
from filterd.cli.school.history import set_with_states
from filterd.cli.school_clock import school_clock
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.operations.exams import ReadExams, ReadTrialNames, StartExam, StopExam, WatchExam
from filterd.operations.parameters.time import duration_s, read_time
from filterd.overrides.descriptions import Describer, not_ended
from filterd.overrides.override_rows import EXAMS
from filterd.overrides.target_text import Target, class_from, qname_from, target_name_from
from filterd.policy.temporary_rules import TargetKind
from filterd.texts import counted
from filterd.texts.i18n import say
from filterd.texts.rows import SchoolClock

_FOUND, _NOTHING = 0, 1
_LONGEST_TRIAL_S = 4 * 3600.0

Place = dict[str, str | None]
RoomOption = Annotated[str, option("--room", "Id of the room: a network in site.yaml.", "ROOM")]


def learn(
    here: Context,
    room: RoomOption,
    out: Annotated[Path, option("--out", "File to write the names to.", "FILE")],
    for_: Annotated[
        str, option("--for", "Length of the trial run; Enter ends it.", "TIME")
    ] = "30m",
    json: JsonOption = False,
) -> None:
    """Record the names that the devices of a room look up in a trial run of the exam.

    It keeps names without devices, and writes them to FILE by their owners: look through it
    before the exam and delete what is not needed. Exit code 0: written; 1: no lookup was seen;
    2: an error.
    """
    length_s = duration_s(for_)
    if length_s > _LONGEST_TRIAL_S:
        raise ConfigError(
            say("--for {length} is too long for a trial run", length=for_), hint=say("at most 4h")
        )
    check_folder(out, "--out")
    found = _trial(here, room, length_s, quietly=json)
    if not found:
        here.note(say("No lookup was seen; nothing is written."))
        raise typer.Exit(_NOTHING)
    heading = here.texts(
        "room {room}: names looked up in a trial run, and how often; delete what is not needed",
        room=room,
    )
    write_named(out, names_text(found.values(), heading, here.texts("blocked")), "--out")
    if json:
        here.print_json({"file": str(out), "names": sorted(found)})
    else:
        here.print(
            say(
                "{file}: {names}. Look through it, then:\nfilterd exam start --room {room}"
                " --for 90m --allow {file}",
                file=out,
                names=counted.names(len(found)),
                room=room,
            ),
            whole=True,
        )


def _trial(
    here: Context, room: str, length_s: float, *, quietly: bool
) -> dict[str, dict[str, Any]]:
    """Have a room watched during a trial run; return what was looked up, by name."""
    found: dict[str, dict[str, Any]] = {}

    def look() -> None:
        names = here.send(ReadTrialNames(room=room))["names"]
        found.update((name["name"], name) for name in names)

    here.send(WatchExam(room=room))
    if not quietly:
        here.note(
            say(
                "Do a trial run of the exam in room {room}. Press Enter when it is done.", room=room
            )
        )
    terminal.watch(look, length_s)
    here.send(WatchExam(room=room, off=True))
    return found


def place(
    room: Annotated[
        str | None, option("--room", "Id of the room: a network in site.yaml.", "ROOM")
    ] = None,
    class_: Annotated[
        str | None, option("--class", "The class: the room where it sits then.", "CLASS")
    ] = None,
) -> Place:
    """Return the room of an exam, or the class that sits it, as ``StartExam`` takes it."""
    if (room is None) is (class_ is None):
        raise ConfigError(
            say("an exam is for one room or one class"), hint=say("--room, or --class 6A")
        )
    return {"room": room} if class_ is None else {"class_": class_from(class_)}


def start(
    here: Context,
    where: Annotated[Place, Options(place)],
    for_: Annotated[str, option("--for", "Length: 45m, 90m, 2h.", "TIME")],
    at: Annotated[str | None, option("--at", "Start (default: now).", "TIME")] = None,
    allow: Annotated[
        list[str] | None,
        option(
            "--allow",
            "A name that the exam needs, or a file of names; can be repeated.",
            "FILE|NAME",
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        option("--service", "A service that the exam needs; can be repeated.", "ID"),
    ] = None,
    reason: Annotated[
        str, option("--reason", "The name of the exam, for the history.", "TEXT")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Limit a room to what its exam needs; pinned names stay open.

    It ends by itself and survives a restart. A warning names exceptions that overlap. Exit code
    0: done; 2: an error.
    """
    clock, needed = school_clock(here), _needed(allow or [], service or [])
    asked = StartExam(
        **where,
        names=needed.names,
        services=needed.services,
        starts_at=None if at is None else read_time(clock, at),
        for_s=duration_s(for_),
        reason=reason,
    )
    answer = here.send(asked)
    made = {"room": answer.get("room"), **made_of(asked.change[1], answer)}
    what = Describer(here.texts, clock).thing("exams", made)
    print_change(here, answer, what, json=json)


def stop(
    here: Context,
    number: Annotated[
        int | None, argument("NUMBER", "Number from `filterd exam list`.", min=1)
    ] = None,
    room: Annotated[
        str | None, option("--room", "The exam that is running in this room.", "ROOM")
    ] = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """End an exam, or cancel one that has not begun.

    Without a number, the only exam is meant. Exit code 0: done; 2: an error.
    """
    clock = policy_clock(here)
    wanted = number if number is not None else _only(here, clock, room)
    answer = here.send(StopExam(id=wanted, reason=reason))
    print_change(here, answer, here.texts("exam {number} has ended", number=wanted), json=json)


def list_(
    here: Context,
    asked: ReadExams,
    json: JsonOption = False,
) -> None:
    """Show present and future exams.

    Exit code 0: shown; 2: an error.
    """
    clock = policy_clock(here)
    shown = set_with_states(here, asked, clock.now)
    show(here, EXAMS, shown, json=json, clock=clock)


def _only(here: Context, clock: SchoolClock, room: str | None) -> int:
    """Return the number of the only exam, where no number is given.

    Raises:
        ConfigError: there is none, or there are several.
    """
    exams = [
        one
        for one in not_ended(to_plain(set_now(here).exams), clock.now)
        if room in (None, one["room"])
    ]
    if not exams:
        raise ConfigError(
            say("there is no such exam"), hint=say("`filterd exam list --all` shows all")
        )
    if len(exams) > 1:
        known = ", ".join(f"{exam['id']} ({exam['room']})" for exam in exams)
        raise ConfigError(
            say("there are several exams"), hint=say("choose one: {known}", known=known)
        )
    number: int = exams[0]["id"]
    return number


def _needed(allow: list[str], services: list[str]) -> Needed:
    """Return the names and services of files and words.

    Raises:
        ConfigError: one is wrong, or there is nothing at all.
    """
    names, ids = dict[str, None](), dict.fromkeys(services)
    for word in allow:
        path = Path(word)
        if _is_file(path):
            needed = parse_names(read_text(path), word)
        else:
            needed = Needed((target_name_from(word),))
        names |= dict.fromkeys(needed.names)
        ids |= dict.fromkeys(needed.services)
    if not names and not ids:
        raise ConfigError(
            say("an exam needs at least one name or service"),
            hint=say("--allow FILE, --allow NAME, --service ID"),
        )
    return Needed(tuple(names), tuple(ids))


def _is_file(path: Path) -> bool:
    """Return whether a word is a file: one exists, or no name has this form."""
    with own_rights():
        return os.path.exists(path) or path.suffix == ".txt" or len(path.parts) > 1  # noqa: PTH110


class Needed(NamedTuple):
    """The names, and the ids of services, that an exam needs."""

    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def parse_names(text: str, path: str) -> Needed:
    """Parse the text of such a file; ``path`` is its name in errors.

    Raises:
        ConfigErrors: all that is wrong, each with its line.
    """
    names, services = dict[str, None](), dict[str, None]()
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        try:
            target = _target(word)
        except ConfigError as error:
            problems.append(ConfigError(error.reason, path=path, line=number, hint=error.hint))
            continue
        (names if target.kind is TargetKind.NAME else services)[target.target] = None
    if problems:
        raise ConfigErrors(problems)
    return Needed(tuple(names), tuple(services))


def _target(word: str) -> Target:
    target = Target.read(word)
    if target.kind not in (TargetKind.NAME, TargetKind.SERVICE):
        raise ConfigError(say("'{word}' is neither a name nor a service", word=word))
    return target


def names_text(seen: Iterable[Mapping[str, Any]], heading: str, blocked: str) -> str:
    """Return the names of a trial run as such a file, grouped by registrable domain.

    A blocked name is a comment: the trial run worked without it. A public suffix is
    written as one, so that the operator notices it.

    Args:
        seen: each with its ``name``, its ``registrable`` part, how many ``times``
            it was asked for, and whether it was ``blocked``.
        heading: a comment for the first line.
        blocked: the word for a blocked name.
    """
    by_owner: dict[str, dict[str, str]] = {}
    for one in seen:
        name = one["name"]
        times = f"  # {one['times']}" if one.get("times") else ""
        entry = f"*.{name}" if has_strangers_beneath(qname_from(name)) else name
        line = f"# {name}{times}, {blocked}" if one.get("blocked") else f"{entry}{times}"
        by_owner.setdefault(one.get("registrable") or name, {})[name] = line
    lines = [f"# {heading}"]
    for owner in sorted(by_owner):
        lines += ["", f"# {owner}", *(by_owner[owner][name] for name in sorted(by_owner[owner]))]
    return "\n".join(lines) + "\n"
