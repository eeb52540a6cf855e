# SPDX-License-Identifier: Apache-2.0
"""Files of what an exam needs: a name or a service a line, with remarks after ``#``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filterd.cli.room_csv import read_text
from filterd.cli.target_options import Target, qname_from
from filterd.errors import ConfigError, ConfigErrors
from filterd.i18n import say
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy.temporary_rules import TargetKind


class Needed(NamedTuple):
    """What an exam needs: names, and ids of services."""

    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def load(path: Path) -> Needed:
    """Read such a file.

    Raises:
        ConfigErrors: all that is wrong, each with its line.
        StoreError: it cannot be read.
    """
    return parse(read_text(path), str(path))


def parse(text: str, path: str) -> Needed:
    """Return what a file's text says; ``path`` is what errors call it.

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


def dump(seen: Iterable[Mapping[str, Any]], heading: str, blocked: str) -> str:
    """Return what a trial run asked for as such a file, by who owns the names.

    A name that was blocked is a remark: the exam need not open what the trial run
    went without. A suffix beneath which strangers register is written as one, to be looked at.

    Args:
        seen: each with its ``name``, its ``registrable`` part, how many ``times``
            it was asked for, and whether it was ``blocked``.
        heading: a remark for the first line.
        blocked: the word for that.
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
