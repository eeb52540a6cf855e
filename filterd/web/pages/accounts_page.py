# SPDX-License-Identifier: Apache-2.0
"""The accounts: roles, devices to confirm, tokens; one's own devices and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.accounts.account_rows import ACCOUNTS as ACCOUNT_LISTING
from filterd.accounts.account_rows import ENROLLED as DEVICE_LISTING
from filterd.accounts.account_rows import TOKENS as TOKEN_LISTING
from filterd.accounts.token_scopes import SCOPES
from filterd.i18n import say
from filterd.overrides.roles import Role
from filterd.web import operations
from filterd.web.form_choices import lengths, of_words
from filterd.web.operations.account_operations import ACCOUNTS, ENROLLED, TOKENS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

TERMS_DAYS = (30, 90, 365)
_DAY_S = 86_400


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    accounts = await visitor.call(ACCOUNTS) if visitor.is_admin else None
    named = {} if visitor.is_admin else {"account": visitor.account}
    devices = await visitor.call(ENROLLED, **named)
    lasting = lengths((days * _DAY_S for days in TERMS_DAYS), visitor.wording)
    return {
        "accounts": accounts,
        "names": [(one["account"], one["account"]) for one in accounts or ()],
        "devices": sorted(devices, key=lambda one: one["state"] != "waiting"),
        "tokens": await visitor.call(TOKENS, **named),
        "account_listing": ACCOUNT_LISTING._replace(title=say("Accounts")),
        "device_listing": DEVICE_LISTING._replace(title=say("Enrolled devices")),
        "token_listing": TOKEN_LISTING._replace(title=say("API tokens")),
        "roles": of_words(words.ROLE, visitor.wording),
        "own_roles": [
            (one.value, visitor.texts.word(words.ROLE, one)) for one in Role if one in visitor.roles
        ],
        "scopes": [(one, one) for one in SCOPES],
        "terms": [(str(days), text) for days, (_, text) in zip(TERMS_DAYS, lasting, strict=True)],
        "of": operations.BY_NAME,
    }


PAGE = Page(path="/accounts", title=say("Accounts"), template="accounts.html", load=_load)
