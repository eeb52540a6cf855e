# SPDX-License-Identifier: Apache-2.0
"""All accounts, for administrators; the own account, for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.accounts.account_rows import ACCOUNTS as ACCOUNT_LISTING
from filterd.accounts.account_rows import ENROLLED as DEVICE_LISTING
from filterd.accounts.account_rows import TOKENS as TOKEN_LISTING
from filterd.accounts.grant import TokenScope
from filterd.operations.accounts import ACCOUNTS
from filterd.operations.api_tokens import TOKENS
from filterd.operations.enrolled_devices import ENROLLED
from filterd.operations.operation import ADMINS
from filterd.operations.sessions import SESSION
from filterd.overrides.rights.roles import Role
from filterd.reports.charts import qr_code
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.web.form_choices import lengths, of_words
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load_accounts(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    devices = await visitor.call(ENROLLED)
    return {
        "accounts": await visitor.call(ACCOUNTS),
        "devices": sorted(devices, key=lambda device: device["state"] != "waiting"),
        "tokens": await visitor.call(TOKENS),
        "account_listing": ACCOUNT_LISTING._replace(title=say("Accounts")),
        "device_listing": DEVICE_LISTING._replace(title=say("Enrolled devices")),
        "token_listing": TOKEN_LISTING._replace(title=say("API tokens")),
        "roles": of_words(words.ROLE, visitor.wording),
    }


ACCOUNTS_PAGE = Page(
    path="/accounts",
    title=say("Accounts"),
    template="accounts.html",
    load=_load_accounts,
    roles=ADMINS,
)


TERMS_DAYS = (30, 90, 365)
_DAY_S = 86_400


async def _load_own(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    lasting = lengths((days * _DAY_S for days in TERMS_DAYS), visitor.wording)
    uri = visitor.made.get("uri", "")
    return {
        "session": await visitor.call(SESSION),
        "devices": await visitor.call(ENROLLED, account=visitor.account),
        "tokens": await visitor.call(TOKENS, account=visitor.account),
        "device_listing": DEVICE_LISTING._replace(title=say("Enrolled devices")),
        "token_listing": TOKEN_LISTING._replace(title=say("API tokens")),
        "own_roles": [
            (one.value, visitor.texts.word(words.ROLE, one)) for one in Role if one in visitor.roles
        ],
        "scopes": [(one, one) for one in TokenScope],
        "terms": [(str(days), text) for days, (_, text) in zip(TERMS_DAYS, lasting, strict=True)],
        "qr": qr_code(uri, visitor.texts("QR code for the authenticator app")) if uri else "",
    }


OWN_PAGE = Page(
    path="/account", title=say("My account"), template="own_account.html", load=_load_own
)
