# SPDX-License-Identifier: Apache-2.0
"""Make, list and revoke API tokens: programs that ask in the name of an account."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from filterd.accounts import account_rows
from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.accounts import ACCOUNT
from filterd.operations.answers import AT, TEXT, extended, maybe, rows
from filterd.operations.operation import Operation
from filterd.operations.parameters.command_word import CommandWord, argument
from filterd.operations.parameters.scalar import Choice, Several, Text, Whole
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say

ID = Text(64, least=1)
SHOWN_ID = argument("ID", "As the list shows it.")
ONLY_OF = CommandWord("NAME", "Only those of this account.")
_LONGEST_DAYS = 366


@frozen
class NewToken:
    """A token with its secret, which is shown this once."""

    id: str
    token: str = field(repr=False)
    ends_at: float


@frozen(kw_only=True)
class AddToken(OperationRequest[NewToken], command="account token-add", is_guarded=True):
    """Make a token, of one role and one scope."""

    name: Annotated[str, Text(64, least=1)]
    account: Annotated[str, ACCOUNT] = ""
    role: Annotated[str, Choice(tuple(Role))]
    scope: Annotated[str, Choice(tuple(one.value for one in TokenScope))]
    days: Annotated[int, Whole(1, _LONGEST_DAYS)]
    addresses: Annotated[
        tuple[str, ...], Several(Text(64, least=1), 16, about="From these ranges only (CIDR)")
    ] = ()


@frozen
class TokenRow:
    """A token; ``used_on`` is a day, ``2026-11-29``, or empty."""

    id: str
    name: str
    account: str
    role: str
    scope: str
    addresses: tuple[str, ...]
    made_at: float
    ends_at: float
    used_on: str
    ended: bool


@frozen(kw_only=True)
class ReadTokens(OperationRequest[tuple[TokenRow, ...]], command="account token-list"):
    """Show the API tokens, without their secrets.

    Exit code 0: shown; 2: an error.
    """

    account: Annotated[str, ACCOUNT, ONLY_OF] = ""


@frozen
class OwnedThing:
    """A token or device of an account that was confirmed or revoked."""

    id: str
    name: str
    account: str


@frozen(kw_only=True)
class RevokeToken(OperationRequest[OwnedThing], command="account token-revoke"):
    """End an API token at once.

    Exit code 0: done; 2: an error.
    """

    id: Annotated[str, ID, SHOWN_ID]


TOKENS = Operation(
    name="readTokens",
    method="GET",
    path="/tokens",
    about="API tokens, without their secrets; one's own, or of an account.",
    request=ReadTokens,
    answer=rows(
        extended(TokenRow, {"made_at": maybe(AT), "ends_at": maybe(AT), "used_on": maybe(TEXT)})
    ),
    commands=("account token-list",),
    tag="accounts",
    listing=account_rows.TOKENS,
)
ADD_TOKEN = Operation(
    name="addToken",
    method="POST",
    path="/tokens",
    about="Make an API token; its secret is shown once.",
    request=AddToken,
    answer=extended(NewToken, {"ends_at": maybe(AT)}),
    commands=("account token-add",),
    tag="accounts",
)
REVOKE_TOKEN = Operation(
    name="revokeToken",
    method="POST",
    path="/tokens/{id}/revoke",
    about="Revoke an API token.",
    request=RevokeToken,
    answer=OwnedThing,
    commands=("account token-revoke",),
    tag="accounts",
    sentence=lambda done: say(
        "The token {name} of {account} is revoked.", name=done.name, account=done.account
    ),
)
