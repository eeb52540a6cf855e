# SPDX-License-Identifier: Apache-2.0
"""Popular names that must stay open: the frozen list ``blocklists/popular.yaml``.

It ships with the program and is read from there, never from a version of the feed: a
publisher of lists cannot change what those lists are judged by. Like the catalogue it
brings pydantic, so the serving process never imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.documents import load, validate
from filterd.errors import ConfigErrors
from filterd.i18n import say
from filterd.lists.catalog_schema import PopularFile
from filterd.paths import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.documents import Document
    from filterd.errors import ConfigError


class PopularName(NamedTuple):
    """A wire name that must stay open.

    ``except_categories``: ids of categories that may block it: vk.com is ``social-media``,
    and a grade without that category rightly does not get it.
    """

    name: bytes
    except_categories: frozenset[str] = frozenset()


def load_popular_names(path: Path | None = None) -> tuple[PopularName, ...]:
    """Return the popular names in the order of the file.

    Args:
        path: the file; the shipped one if left out.

    Raises:
        ConfigErrors: the file has errors; all of them, each with its place.
        ConfigError: it cannot be read or is no YAML.
        StoreError: filterd is installed without it.
    """
    document = load(path or shipped("blocklists") / "popular.yaml")
    file = validate(document, PopularFile)
    if problems := list(_repeated(document, file)):
        raise ConfigErrors(problems)
    return tuple(
        PopularName(name, one.except_categories) for one in file.popular for name in one.names
    )


def _repeated(document: Document, file: PopularFile) -> Iterator[ConfigError]:
    """Find names that occur twice, with perhaps different categories."""
    lines = dict[bytes, int]()
    for index, group in enumerate(file.popular):
        for position, name in enumerate(group.names):
            where = ("popular", index, "names", position)
            if name in lines:
                hint = say("first in line {line}", line=lines[name])
                yield document.error(say("this name stands twice"), where, hint=hint)
            lines.setdefault(name, document.place(where)[0])
