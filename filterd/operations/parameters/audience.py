# SPDX-License-Identifier: Apache-2.0
"""Read the audience of a change: a grade, class, tier, network, client, all."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from filterd.base.errors import excluding
from filterd.operations.parameters.scalar import Parameter, Text
from filterd.overrides.target_text import looks_like_a_class, whom_from
from filterd.policy.model import Audience
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

FOR_WHOM = Text(
    80,
    r"everybody|(grade|class|tier|network|client):.{1,64}",
    about="The audience: class:6A, grade:7, tier:primary, network:lab-a, client:10.0.6.21",
)
"""What programs and forms send."""
_OPTIONS = {
    "grade": Audience.GRADE,
    "class": Audience.CLASS,
    "tier": Audience.TIER,
    "room": Audience.NETWORK,
    "client": Audience.CLIENT,
    "network": Audience.NETWORK,
}
"""The audience that each option of a command names."""


class ChangeAudience(NamedTuple):
    """The audience of an exception, as a change takes it."""

    audience: Audience = Audience.EVERYBODY
    whom: str = ""

    @classmethod
    def take(cls, given: dict[str, Any]) -> Self:
        """Take ``for_whom`` out of checked values, and return the audience.

        Raises:
            ConfigError: there is none of this kind.
        """
        kind, _, whom = given.pop("for_whom", "everybody").partition(":")
        audience = Audience(kind)
        return cls(audience, whom_from("for_whom", audience, whom) if whom else "")

    @classmethod
    def read_words(cls, **options: str | None) -> Self:
        """Return the audience that options name; everybody where there is none.

        Raises:
            ConfigError: there are two, or there is none of this kind.
        """
        grade = options.get("grade")
        if grade is not None and options.get("class") is None and looks_like_a_class(grade):
            options |= {"grade": None, "class": grade}
        given = [(name, value) for name in _OPTIONS if (value := options.get(name)) is not None]
        if len(given) > 1:
            (first, _), (second, _), *_ = given
            raise excluding(f"--{first}", f"--{second}", say("make one exception for each"))
        for name, value in given:
            return cls(_OPTIONS[name], whom_from(f"--{name}", _OPTIONS[name], value))
        return cls()

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of a change."""
        return {"audience": str(self.audience), "whom": self.whom}


EVERYBODY = ChangeAudience()


class AudienceField:
    """The field ``for_whom`` of a change."""

    named: Mapping[str, Parameter] = MappingProxyType({"for_whom": FOR_WHOM})

    def take(self, given: dict[str, Any]) -> ChangeAudience:
        """Take the audience out of checked values; see ``ChangeAudience.take``."""
        return ChangeAudience.take(given)

    def arguments(self, value: ChangeAudience) -> dict[str, Any]:
        """Return what the socket has of an audience."""
        return value.payload
