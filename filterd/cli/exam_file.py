# SPDX-License-Identifier: Apache-2.0
"""Files of names and services that an exam needs, one a line; ``#`` begins a comment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filterd.cli.room_csv import read_text
from filterd.errors import ConfigError, ConfigErrors
from filterd.i18n import say
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.overrides.target_text import Target, qname_from
from filterd.policy.temporary_rules import TargetKind


class Needed(NamedTuple):
    """The names, and the ids of services, that an exam needs."""

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


def dump(seen: Iterable[Mapping[str, Any]], heading: str, blocked: str) -> str:
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
