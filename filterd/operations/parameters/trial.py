# SPDX-License-Identifier: Apache-2.0
"""Read what is tried instead of the policy and lists in force: exactly one thing.

Programs try public lists, a version or the drafted site. On the socket there are also files that
a person at the gateway has copied to ``state.what_if``, by the name of their folder there.
"""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import Flag, Text
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Parameter

_COPY = Text(46, r"given-[A-Za-z0-9_]{1,40}")
_THINGS = {"site": "", "list": "", "source": "address", "feed": "", "draft": ""}
"""What is tried; the other is another name of it."""
_LISTS = 4_096


@frozen
class Tried:
    """What is tried.

    Attributes:
        site: a copied folder with ``site.yaml``.
        list: a copied list, as one of the school's own.
        source: ids of public lists, with commas between.
        address: addresses of public lists, with spaces between.
        feed: a version of the lists.
        draft: whether it is the edit of the site that the person looks at.
        category, format, subtrees: of what a list or an address has.
    """

    site: str = ""
    list: str = ""
    source: str = ""
    address: str = ""
    feed: str = ""
    draft: bool = False
    category: str = ""
    format: str = ""
    subtrees: bool = False


_NOTHING = asdict(Tried())


class TriedField:
    """The fields of what is tried."""

    named: Mapping[str, Parameter] = MappingProxyType(
        {
            "source": Text(about="Public lists, with commas between"),
            "feed": Text(64, about="A version of the lists"),
            "draft": Flag("The edit of the site that you look at"),
        }
    )
    sent: Mapping[str, Parameter] = MappingProxyType(
        {
            **named,
            "site": _COPY,
            "list": _COPY,
            "source": Text(_LISTS),
            "address": Text(_LISTS),
            "category": Text(),
            "format": Text(),
            "subtrees": Flag(),
        }
    )

    def take(self, given: dict[str, Any]) -> Tried:
        """Take it out of checked values.

        Raises:
            ConfigError: it is not exactly one thing.
        """
        found = {key: given.pop(key) for key in _NOTHING if key in given}
        things = [one for one, other in _THINGS.items() if found.get(one) or found.get(other)]
        if len(things) != 1:
            known = ", ".join(_THINGS)
            raise ConfigError(say("one of these is tried at a time: {known}", known=known))
        return Tried(**found)

    def arguments(self, value: Tried) -> dict[str, Any]:
        """Return what the socket has of it."""
        return {key: one for key, one in asdict(value).items() if one != _NOTHING[key]}
