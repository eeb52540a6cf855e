# SPDX-License-Identifier: Apache-2.0
"""Changes without effect: notes of the history on what was done elsewhere. Pure.

A note has no secret, no name that was searched for, and nothing that was to be forgotten.
Sign-ins are not noted.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

from filterd.base.errors import ChangeError
from filterd.base.value_class import frozen
from filterd.overrides.changes.effects import CheckedChange
from filterd.overrides.rights.read_access import View
from filterd.overrides.rights.roles import Role
from filterd.policy import field_checks
from filterd.texts import words
from filterd.texts.i18n import say

LETTING_IN = frozenset(("added", "roles", "password", "code", "enabled", "totp-off", "recovered"))
"""Changes of an account by which their author may sign in as another person."""
MOST_KEYS = 40
_LONGEST_KEY, _LONGEST_LABEL, _MOST_DAYS = 130, 60, 90
_is_digest = re.compile(r"[0-9a-f]{64}").fullmatch
_is_release = re.compile(r"[0-9A-Za-z.+~-]{1,64}", re.ASCII).fullmatch


def _role(value: Any) -> str:
    return field_checks.one_of(value, Role, say("role"))


def _label(value: Any) -> str:
    return field_checks.plain(field_checks.a_text(value)[:_LONGEST_LABEL], say("the name"))


def _key(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY:
        raise ChangeError(say("{value} is not a key", value=field_checks.shown(value)))
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or _is_digest(value) is None:
        raise ChangeError(say("{value} is not a digest", value=field_checks.shown(value)))
    return value


def _release(value: Any) -> str:
    if not isinstance(value, str) or _is_release(value) is None:
        raise ChangeError(say("{value} is not a release", value=field_checks.shown(value)))
    return value


def _day(value: Any) -> str:
    if not isinstance(value, str) or not field_checks.is_date(value):
        raise ChangeError(say("{value} is not a day", value=field_checks.shown(value)))
    return value


def _view(value: Any) -> View:
    return View(field_checks.one_of(value, View, say("view of the log")))


def _class_or_none(value: Any) -> str:
    return "" if value == "" else field_checks.class_id(value)


_account_change = partial(
    field_checks.one_of, known=words.ACCOUNT_CHANGE, called=say("change of an account")
)
_ending = partial(field_checks.one_of, known=words.UPDATE_ENDING, called=say("an end of an update"))
_removed = partial(field_checks.one_of, known=words.REMOVED, called=say("part of the log"))


@frozen
class NoteAccount(CheckedChange):
    """Note a change of an account.

    Attributes:
        what: a key of ``words.ACCOUNT_CHANGE``.
        account: its name.
        roles: that it has from then on, where they change.
        label: the name of a token or device.
    """

    what: Annotated[str, _account_change]
    account: Annotated[str, field_checks.user]
    roles: Annotated[tuple[str, ...], field_checks.many(_role, len(Role))] = ()
    label: Annotated[str, _label] = ""


@frozen
class NoteSiteEdit(CheckedChange):
    """Note which keys of ``site.yaml`` an author has edited.

    ``digest`` is the SHA-256 of the new text, by which the file is recognised.
    """

    keys: Annotated[tuple[str, ...], field_checks.many(_key, MOST_KEYS)]
    digest: Annotated[str, _digest]


@frozen
class NoteProgramUpdate(CheckedChange):
    """Note how an update from one release to another has ended.

    ``ending`` is a key of ``words.UPDATE_ENDING``.
    """

    version: Annotated[str, _release]
    before: Annotated[str, _release]
    ending: Annotated[str, _ending]


@frozen
class NoteTrial(CheckedChange):
    """Note that a trial run of an exam was begun in a room."""

    room: Annotated[str, field_checks.identifier]


@frozen
class NoteRefusal(CheckedChange):
    """Note that a request for review was refused."""

    name: Annotated[str, field_checks.name]
    seat: Annotated[str, field_checks.grade_or_class]


@frozen
class NoteView(CheckedChange):
    """Note that an author looked at a view of the query log."""

    view: Annotated[View, _view]
    days: Annotated[tuple[str, ...], field_checks.many(_day, _MOST_DAYS)] = ()
    class_id: Annotated[str, _class_or_none] = ""


@frozen
class NoteRemoval(CheckedChange):
    """Note a removal from the query log, without what was removed."""

    what: Annotated[str, _removed]
    day: Annotated[str, _day] = ""
