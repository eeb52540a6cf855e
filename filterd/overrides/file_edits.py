# SPDX-License-Identifier: Apache-2.0
"""The row of the history for an edit of ``site.yaml``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd import field_checks
from filterd.errors import ChangeError
from filterd.i18n import say
from filterd.overrides.effects import ChangeEffect

if TYPE_CHECKING:
    from filterd.overrides.change_fields import ChangeFields
    from filterd.overrides.effects import ChangeContext

MOST_KEYS = 40
_LONGEST_KEY = 130
_is_digest = re.compile(r"[0-9a-f]{64}").fullmatch


@dataclass(frozen=True, slots=True)
class NoteSiteEdit:
    """Note which keys of ``site.yaml`` an author has edited; it sets nothing.

    ``digest`` is the SHA-256 of the new text, by which the file is recognised.
    """

    keys: tuple[str, ...]
    digest: str

    @classmethod
    def read(cls, fields: ChangeFields) -> NoteSiteEdit:
        """Check the fields of the change."""
        keys = fields.take("keys", field_checks.many(_key, MOST_KEYS))
        return cls(keys, fields.take("digest", _digest))

    def effect(self, _: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        return ChangeEffect()


def _key(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY:
        raise ChangeError(say("{value} is not a key", value=field_checks.shown(value)))
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or _is_digest(value) is None:
        raise ChangeError(say("{value} is not a digest", value=field_checks.shown(value)))
    return value
