# SPDX-License-Identifier: Apache-2.0
"""All accounts, for administrators: roles, devices to confirm, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.accounts.account_rows import ACCOUNTS as ACCOUNT_LISTING
from filterd.accounts.account_rows import ENROLLED as DEVICE_LISTING
from filterd.accounts.account_rows import TOKENS as TOKEN_LISTING
from filterd.i18n import say
from filterd.web import operations
from filterd.web.form_choices import of_words
from filterd.web.operation import ADMINS
from filterd.web.operations.account_operations import ACCOUNTS, ENROLLED, TOKENS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    devices = await visitor.call(ENROLLED)
    return {
        "accounts": await visitor.call(ACCOUNTS),
        "devices": sorted(devices, key=lambda one: one["state"] != "waiting"),
        "tokens": await visitor.call(TOKENS),
        "account_listing": ACCOUNT_LISTING._replace(title=say("Accounts")),
        "device_listing": DEVICE_LISTING._replace(title=say("Enrolled devices")),
        "token_listing": TOKEN_LISTING._replace(title=say("API tokens")),
        "roles": of_words(words.ROLE, visitor.wording),
        "of": operations.BY_NAME,
    }


PAGE = Page(
    path="/accounts", title=say("Accounts"), template="accounts.html", load=_load, roles=ADMINS
)
