# SPDX-License-Identifier: Apache-2.0
"""Keep accounts: people who may sign in, by password, authenticator or a code.

An account that is left out is one's own; others' need the role admin.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from filterd.accounts import account_rows
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, OBJECT, TEXT, TEXTS, extended, maybe, record, rows
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.command_word import CommandWord, argument
from filterd.operations.parameters.scalar import Choice, Flag, Several, Text
from filterd.operations.parameters.secret import Secret
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say

FIRST_ACCOUNT = "admin"
"""The name of the first account, where none is given."""
ACCOUNT = Text(64, least=1, about="The name of an account; one's own if left out")
WRITTEN = argument("NAME", "The account, such as lan.")
_ROLES = Several(Choice(tuple(Role)), len(Role), 1)
_NEW_PASSWORD = Secret(256, least=1, is_new=True)


@frozen
class NamedAccount:
    """The account of which something was changed."""

    account: str


@frozen
class OneTimeCode:
    """A code that is good once, for so many seconds."""

    code: str = field(repr=False)
    for_s: float
    account: str


@frozen
class AccountRow:
    """An account.

    Attributes:
        password, totp: whether it has one.
        recovery, sessions, devices, tokens: how many it has.
        failed: wrong passwords since the start.
    """

    account: str
    roles: tuple[str, ...]
    disabled: bool
    password: bool
    totp: bool
    recovery: int
    sessions: int
    devices: int
    tokens: int
    made_at: float
    failed: int


@frozen
class ReadAccounts(OperationRequest[tuple[AccountRow, ...]], command="account list"):
    """Show the accounts of the dashboard.

    Exit code 0: shown; 2: an error.
    """


@frozen(kw_only=True)
class AddAccount(OperationRequest[NamedAccount], command="account add", is_guarded=True):
    """Make an account; without a password a code signs it in first."""

    account: Annotated[str, ACCOUNT]
    roles: Annotated[tuple[str, ...], _ROLES]
    password: Annotated[str, _NEW_PASSWORD] = field(default="", repr=False)


@frozen
class NewPassword:
    """How many devices and API tokens go on after a new password."""

    account: str
    devices: int
    tokens: int


@frozen(kw_only=True)
class SetPassword(OperationRequest[NewPassword], command="account passwd", is_guarded=True):
    """Set a password; ``end``: devices and API tokens end, too."""

    account: Annotated[str, ACCOUNT] = ""
    password: Annotated[str, _NEW_PASSWORD] = field(repr=False)
    end: Annotated[bool, Flag()] = False


@frozen
class AccountRoles:
    """The roles of an account."""

    account: str
    roles: tuple[str, ...]


@frozen(kw_only=True)
class SetRoles(OperationRequest[AccountRoles], command="account roles", is_guarded=True):
    """Give an account these roles, and no other ones.

    Exit code 0: done; 2: an error.
    """

    account: Annotated[str, ACCOUNT, WRITTEN]
    roles: Annotated[
        tuple[str, ...],
        _ROLES,
        CommandWord(
            "ROLE", "reader, teacher, principal, inspector or admin; can be repeated.", "--role"
        ),
    ]


@frozen(kw_only=True)
class DisableAccount(OperationRequest[NamedAccount], command="account disable", is_guarded=True):
    """End all sessions of an account, and do not let it sign in.

    Exit code 0: done; 2: an error.
    """

    account: Annotated[str, ACCOUNT, WRITTEN]


@frozen(kw_only=True)
class EnableAccount(OperationRequest[NamedAccount], command="account enable", is_guarded=True):
    """Let a disabled account sign in again.

    Exit code 0: done; 2: an error.
    """

    account: Annotated[str, ACCOUNT, WRITTEN]


@frozen(kw_only=True)
class SetAuthenticator(OperationRequest[dict[str, Any]], command="account totp", is_guarded=True):
    """Begin to use an authenticator, or end it.

    The answer has ``secret`` and ``uri``; with the code of the app ``account`` and ``codes``, new
    recovery codes where there were none; at the end of its use ``account``.
    """

    account: Annotated[str, ACCOUNT] = ""
    on: Annotated[bool, Flag()]
    code: Annotated[str, Secret(16)] = field(default="", repr=False)


@frozen
class RecoveryCodes:
    """New recovery codes."""

    codes: tuple[str, ...] = field(repr=False)


@frozen(kw_only=True)
class MakeRecoveryCodes(
    OperationRequest[RecoveryCodes], command="account recovery", is_guarded=True
):
    """Make ten recovery codes."""

    account: Annotated[str, ACCOUNT] = ""


@frozen(kw_only=True)
class MakeCode(OperationRequest[OneTimeCode], command="account code", is_guarded=True):
    """Make a code that signs in once, and the first account where there is none."""

    account: Annotated[str, ACCOUNT]


@frozen(kw_only=True)
class RecoverAccount(OperationRequest[OneTimeCode], command="account recover", is_guarded=True):
    """Make an administrator, for root; ``code`` is one of the person's own choice."""

    account: Annotated[str, ACCOUNT] = FIRST_ACCOUNT
    code: Annotated[str, Secret(1024)] = field(default="", repr=False)


ACCOUNTS = Operation(
    name="readAccounts",
    method="GET",
    path="/accounts",
    about="The accounts, with their roles, sessions, devices and tokens.",
    request=ReadAccounts,
    roles=ADMINS,
    answer=rows(
        extended(
            AccountRow,
            {
                "made_at": maybe(AT),
                "failed": OBJECT | {"type": ["object", "integer", "array", "null"]},
            },
        )
    ),
    commands=("account list",),
    tag="accounts",
    listing=account_rows.ACCOUNTS,
)
ADD_ACCOUNT = Operation(
    name="addAccount",
    method="POST",
    path="/accounts",
    about="Make an account. Without a password a one-time code signs it in first.",
    request=AddAccount,
    roles=ADMINS,
    answer=NamedAccount,
    commands=("account add",),
    tag="accounts",
)
SET_PASSWORD = Operation(
    name="setPassword",
    method="POST",
    path="/accounts/password",
    about="Set a password, one's own or as an admin another's; end: devices and tokens end, too.",
    request=SetPassword,
    answer=NewPassword,
    commands=("account passwd",),
    tag="accounts",
)
SET_ROLES = Operation(
    name="setRoles",
    method="POST",
    path="/accounts/{account}/roles",
    about="Set the roles of an account.",
    request=SetRoles,
    roles=ADMINS,
    answer=AccountRoles,
    commands=("account roles",),
    tag="accounts",
    sentence=lambda done: say(
        "{name} has the roles {roles}.", name=done.account, roles=", ".join(done.roles)
    ),
)
DISABLE = Operation(
    name="disableAccount",
    method="POST",
    path="/accounts/{account}/disable",
    about="Let an account sign in no more, and end its sessions.",
    request=DisableAccount,
    roles=ADMINS,
    answer=NamedAccount,
    commands=("account disable",),
    tag="accounts",
    sentence=lambda done: say("{name} may not sign in any more.", name=done.account),
)
ENABLE = Operation(
    name="enableAccount",
    method="POST",
    path="/accounts/{account}/enable",
    about="Let an account sign in again.",
    request=EnableAccount,
    roles=ADMINS,
    answer=NamedAccount,
    commands=("account enable",),
    tag="accounts",
    sentence=lambda done: say("{name} may sign in.", name=done.account),
)
TOTP = Operation(
    name="setTotp",
    method="POST",
    path="/accounts/totp",
    about="Begin to use an authenticator: without `code` for its secret, with it to confirm;"
    " or end.",
    request=SetAuthenticator,
    answer=record(
        {"account": TEXT, "secret": TEXT, "uri": TEXT, "codes": TEXTS},
        ("account", "secret", "uri", "codes"),
    ),
    commands=("account totp",),
    tag="accounts",
)
RECOVERY = Operation(
    name="makeRecoveryCodes",
    method="POST",
    path="/accounts/recovery",
    about="Make ten recovery codes; those of before are void.",
    request=MakeRecoveryCodes,
    answer=RecoveryCodes,
    commands=("account recovery",),
    tag="accounts",
)
CODE = Operation(
    name="makeCode",
    method="POST",
    path="/accounts/code",
    about="Make a code for one sign-in of an account.",
    request=MakeCode,
    roles=ADMINS,
    answer=OneTimeCode,
    commands=("account code",),
    tag="accounts",
)
