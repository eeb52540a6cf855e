# SPDX-License-Identifier: Apache-2.0
"""Services: each is the domain names of one product, compiled as a list.

In the index each is a list with the id ``service:<id>``, so that policy can open
or close it alone. The ids of other lists have no colon: they never collide.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filterd.i18n import UNSAID, Sentence, quoted
from filterd.lists.hostname import key_from_name
from filterd.lists.public_suffix import is_public_suffix
from filterd.lists.report import Reason
from filterd.lists.rules import ListSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.documents import Document, Where

PREFIX = "service:"
"""The prefix of ids of these lists."""


def list_id(service: str) -> str:
    """Return the list id of a service."""
    return PREFIX + service


def service_list(
    service: str, title: str, group: str, names: Iterable[bytes], document: Document, where: Where
) -> ListSource:
    """Return a service as a list of its group's category.

    It is never a third party's: its author means exactly these names, so protections do
    not hold against it.

    Args:
        service: its id.
        title: its name for people.
        group: the id of a category.
        names: wire names.
        document: its file.
        where: the path to its names there.
    """
    placed = tuple(
        (document.place((*where, position))[0], name) for position, name in enumerate(names)
    )
    path = str(Path(document.path).absolute())
    return ListSource(list_id(service), group, "domains", path, True, title, placed)


def unfit(name: bytes) -> Sentence:
    """Return why a service cannot have a name, ``UNSAID`` where it can."""
    key = key_from_name(name)
    if key is None:
        return quoted(Reason.NOT_A_NAME.explanation)
    return quoted(Reason.PUBLIC_SUFFIX.explanation) if is_public_suffix(key) else UNSAID
