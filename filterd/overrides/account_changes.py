# SPDX-License-Identifier: Apache-2.0
"""The change that records what became of an account; it sets nothing. Pure.

The history has the account, the roles, or the name of the token or device, and never a secret.
Sign-ins are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd import field_checks, words
from filterd.i18n import say
from filterd.overrides.effects import ChangeContext, ChangeEffect
from filterd.overrides.roles import Role

if TYPE_CHECKING:
    from filterd.overrides.change_fields import ChangeFields

LETTING_IN = frozenset(("added", "roles", "password", "code", "enabled", "totp-off", "recovered"))
"""Changes by which their author may sign in as another person."""
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class NoteAccount:
    """Note a change of an account.

    Attributes:
        what: a key of ``words.ACCOUNT_CHANGE``.
        account: its name.
        roles: that it has from then on, where they change.
        label: the name of a token or device.
    """

    what: str
    account: str
    roles: tuple[str, ...] = ()
    label: str = ""

    @classmethod
    def read(cls, fields: ChangeFields) -> NoteAccount:
        """Check the fields of the change."""
        return cls(
            fields.take("what", _what),
            fields.take("account", field_checks.user),
            fields.take_or("roles", field_checks.many(_role, len(Role)), ()),
            fields.take_or("label", _label, ""),
        )

    def effect(self, _: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        return ChangeEffect()


def _what(value: Any) -> str:
    return field_checks.one_of(value, words.ACCOUNT_CHANGE, say("change of an account"))


def _role(value: Any) -> str:
    return field_checks.one_of(value, Role, say("role"))


def _label(value: Any) -> str:
    return field_checks.plain(field_checks.a_text(value)[:_LONGEST_LABEL], say("the name"))
