# SPDX-License-Identifier: Apache-2.0
"""Names of help: help lines, health, sex education.

No list, look-alike rule or service closes one, whatever its strength; a signed order and the
school's own rules may (``filterd.policy.precedence``). They are frozen: ``help.yaml`` is read
from the installed program, never from a version of the feed, so no publisher, and no thief of
a publisher's keys, can take one away.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigErrors
from filterd.base.paths import shipped
from filterd.documents import load, repeated, validate
from filterd.lists.catalogs.catalog_schema import HelpFile
from filterd.lists.rules import Protection
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.documents import Where

HELP = "help"
"""The reason of these protections."""


@cache
def load_help_names(path: Path | None = None) -> tuple[Protection, ...]:
    """Return the names of help, each with everything beneath it.

    Args:
        path: the file; the shipped one if left out.

    Raises:
        ConfigErrors: the file has errors; all of them, each with its place.
        ConfigError: it cannot be read or is no YAML.
        StoreError: filterd is installed without it.
    """
    document = load(path or shipped("blocklists") / "help.yaml")
    file = validate(document, HelpFile)
    names: Iterator[tuple[bytes, Where]] = (
        (name, ("help", index, "names", position))
        for index, entry in enumerate(file.help)
        for position, name in enumerate(entry.names)
    )
    if problems := list(repeated(document, names, say("this name occurs twice"))):
        raise ConfigErrors(problems)
    return tuple(
        Protection(name, reason=HELP, every_list=True) for one in file.help for name in one.names
    )


def with_help_names(protections: Iterable[Protection]) -> tuple[Protection, ...]:
    """Return the names of help and the other protections of a folder.

    What a folder says of a name of help is left out: it could only weaken it.

    Args:
        protections: of ``protect.yaml`` of the folder.

    Raises:
        ConfigError: what ships with the program is damaged.
    """
    frozen = load_help_names()
    helping = {one.name for one in frozen}
    return (*frozen, *(protection for protection in protections if protection.name not in helping))
