# SPDX-License-Identifier: Apache-2.0
"""Read expectations that a person's files have; programs send none."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.state_file import Decoders, to_plain
from filterd.policy.model import DAY_S, Audience, Expectation
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Parameter, Schema

MOST = 1_000
"""Of one request: each takes the manager some 15 ms, in which it answers no other command."""
_LATEST, _DAYS = 253_402_300_799.0, 7
_expectation = Decoders({"Audience": Audience}).of(Expectation)


class _Expectations:
    """A list of expectations as plain data."""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return {"type": "array", "items": {"type": "object"}, "maxItems": MOST}

    def read(self, value: Any) -> tuple[Expectation, ...]:
        """Return checked expectations; see ``Parameter``."""
        if isinstance(value, list) and len(value) > MOST:
            raise ConfigError(say("at most {most} expectations are tried at a time", most=MOST))
        try:
            found = tuple(map(_expectation, value))
        except (KeyError, TypeError, ValueError, AttributeError):
            found = ()
        if (
            not isinstance(value, list)
            or len(found) != len(value)
            or not all(map(_is_sound, found))
        ):
            raise ConfigError(say("a list of expectations"))
        return found


def _is_sound(expectation: Expectation) -> bool:
    return (
        (expectation.at is None or 0 <= expectation.at <= _LATEST)
        and (expectation.weekday is None or 0 <= expectation.weekday < _DAYS)
        and (expectation.second is None or 0 <= expectation.second < DAY_S)
    )


class ExpectationsField:
    """The field of expectations; None for those that a reload checks."""

    named: Mapping[str, Parameter] = MappingProxyType({})
    sent: Mapping[str, Parameter] = MappingProxyType({"wanted": _Expectations()})

    def take(self, given: dict[str, Any]) -> tuple[Expectation, ...] | None:
        """Take expectations out of checked values."""
        wanted: tuple[Expectation, ...] | None = given.pop("wanted", None)
        return wanted

    def arguments(self, value: tuple[Expectation, ...] | None) -> dict[str, Any]:
        """Return what the socket has of expectations."""
        return {} if value is None else {"wanted": [to_plain(one) for one in value]}
