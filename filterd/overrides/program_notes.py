# SPDX-License-Identifier: Apache-2.0
"""The row of the history for an update of filterd itself. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd import field_checks, words
from filterd.errors import ChangeError
from filterd.i18n import say
from filterd.overrides.effects import ChangeEffect

if TYPE_CHECKING:
    from filterd.overrides.change_fields import ChangeFields
    from filterd.overrides.effects import ChangeContext

_is_release = re.compile(r"[0-9A-Za-z.+~-]{1,64}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class NoteProgramUpdate:
    """Note how an update from one release to another has ended; it sets nothing.

    ``ending`` is a key of ``words.UPDATE_ENDING``.
    """

    version: str
    before: str
    ending: str

    @classmethod
    def read(cls, fields: ChangeFields) -> NoteProgramUpdate:
        """Check the fields of the change."""
        ending = fields.take("ending", _ending)
        return cls(fields.take("version", _release), fields.take("before", _release), ending)

    def effect(self, _: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        return ChangeEffect()


def _release(value: Any) -> str:
    if not isinstance(value, str) or _is_release(value) is None:
        raise ChangeError(say("{value} is not a release", value=field_checks.shown(value)))
    return value


def _ending(value: Any) -> str:
    return field_checks.one_of(value, words.UPDATE_ENDING, say("an end of an update"))
