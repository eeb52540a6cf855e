# SPDX-License-Identifier: Apache-2.0
"""Operations on accounts, their tokens and devices: one's own, and for admins all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations.answers import (
    AT,
    FLAG,
    OBJECT,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    record,
    rows,
)
from filterd.operations.operation import ADMINS, EVERYONE
from filterd.operations.parameters.scalar import Choice, Fields, Flag, Several, Text, Whole
from filterd.overrides.rights.roles import Role
from filterd.texts.counted import duration
from filterd.texts.i18n import say, translated
from filterd.web.endpoint import WebOperation, asks

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.operations.operation import Method
    from filterd.operations.parameters.scalar import Parameter, Schema
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor

_ACCOUNT = Text(64, least=1, about="The name of an account; one's own if left out")
_PASSWORD = Text(256, least=1)
_ROLES = Several(Choice(tuple(Role)), len(Role), 1)
_ID = Text(64, least=1)
_NAMED = record({"account": TEXT})
_OF_ID = record({"id": TEXT, "name": TEXT, "account": TEXT})
_CODE = record({"code": TEXT, "for_s": {"type": "number"}, "account": TEXT})


def _done(answer: Any, _: Visitor) -> Sentence:
    """Return a sentence on what was done; a secret in it is shown this once."""
    match answer:
        case {"token": token}:
            return say("The token, shown only now: {token}", token=token)
        case {"uri": _}:
            return say("Confirm it with a code of the app; until then nothing is changed.")
    account = answer.get("account", "") if isinstance(answer, dict) else ""
    return say("Done, for the account {account}.", account=account) if account else say("Done.")


def _code_at(path: str) -> Callable[[Any, Visitor], Sentence]:
    """Return a ``done`` with the address beneath a path that takes a code once."""

    def done(answer: Any, visitor: Visitor) -> Sentence:
        for_s = translated(duration(answer["for_s"]), visitor.language)
        return say(
            "For {account}, once within {time}, at this dashboard: {path}{code}",
            account=answer["account"],
            time=for_s,
            path=path,
            code=answer["code"],
        )

    return done


def _operation(  # noqa: PLR0913 -- the columns of a table
    name: str,
    method: Method,
    path: str,
    command: str,
    about: str,
    named: dict[str, Parameter],
    answer: Schema,
    *,
    required: tuple[str, ...] = (),
    roles: frozenset[Role] = ADMINS,
    done: Callable[[Any, Visitor], Sentence] = _done,
    is_shown_once: bool = False,
) -> WebOperation:
    return WebOperation(
        name=name,
        method=method,
        path=path,
        about=about,
        run=asks(command),
        fields=Fields(named, required),
        roles=roles,
        answer=answer,
        commands=(command,) if command.startswith("account ") else (),
        tag="accounts",
        done=None if method == "GET" else done,
        is_shown_once=is_shown_once,
    )


SESSION = _operation(
    "readSession",
    "GET",
    "/session",
    "session",
    "The person who is signed in: roles, classes, and how long the session lasts.",
    {},
    record(
        {
            "account": TEXT,
            "roles": TEXTS,
            "classes": maybe(TEXTS),
            **each(FLAG, "is_fresh", "has_password", "has_totp"),
            "ends_in_s": maybe({"type": "number"}),
        },
        ("ends_in_s", "has_password", "has_totp"),
    ),
    roles=EVERYONE,
)
END_OTHERS = _operation(
    "endOtherSessions",
    "POST",
    "/session/end-others",
    "logout-others",
    "End the person's sessions on every other device; the one that asks goes on.",
    {},
    _NAMED,
    roles=EVERYONE,
)
ACCOUNTS = _operation(
    "readAccounts",
    "GET",
    "/accounts",
    "account list",
    "The accounts, with their roles, sessions, devices and tokens.",
    {},
    rows(
        record(
            {
                "account": TEXT,
                "roles": TEXTS,
                **each(FLAG, "disabled", "password", "totp"),
                **each(WHOLE, "recovery", "sessions", "devices", "tokens"),
                "made_at": maybe(AT),
                "failed": OBJECT | {"type": ["object", "integer", "array", "null"]},
            }
        )
    ),
)
ADD_ACCOUNT = _operation(
    "addAccount",
    "POST",
    "/accounts",
    "account add",
    "Make an account. Without a password a one-time code signs it in first.",
    {"account": _ACCOUNT, "roles": _ROLES, "password": _PASSWORD},
    _NAMED,
    required=("account", "roles"),
)
SET_PASSWORD = _operation(
    "setPassword",
    "POST",
    "/accounts/password",
    "account passwd",
    "Set a password, one's own or as an admin another's; end: devices and tokens end, too.",
    {"account": _ACCOUNT, "password": _PASSWORD, "end": Flag()},
    record({"account": TEXT, **each(WHOLE, "devices", "tokens")}),
    required=("password",),
    roles=EVERYONE,
)
SET_ROLES = _operation(
    "setRoles",
    "POST",
    "/accounts/{account}/roles",
    "account roles",
    "Set the roles of an account.",
    {"account": _ACCOUNT, "roles": _ROLES},
    record({"account": TEXT, "roles": TEXTS}),
    required=("account", "roles"),
)
DISABLE = _operation(
    "disableAccount",
    "POST",
    "/accounts/{account}/disable",
    "account disable",
    "Let an account sign in no more, and end its sessions.",
    {"account": _ACCOUNT},
    _NAMED,
    required=("account",),
)
ENABLE = _operation(
    "enableAccount",
    "POST",
    "/accounts/{account}/enable",
    "account enable",
    "Let an account sign in again.",
    {"account": _ACCOUNT},
    _NAMED,
    required=("account",),
)
TOTP = _operation(
    "setTotp",
    "POST",
    "/accounts/totp",
    "account totp",
    "Begin to use an authenticator: without `code` for its secret, with it to confirm; or end.",
    {"account": _ACCOUNT, "on": Flag(), "code": Text(16)},
    record(
        {"account": TEXT, "secret": TEXT, "uri": TEXT, "codes": TEXTS},
        ("account", "secret", "uri", "codes"),
    ),
    required=("on",),
    roles=EVERYONE,
    is_shown_once=True,
)
RECOVERY = _operation(
    "makeRecoveryCodes",
    "POST",
    "/accounts/recovery",
    "account recovery",
    "Make ten recovery codes; those of before are void.",
    {"account": _ACCOUNT},
    record({"codes": TEXTS}),
    roles=EVERYONE,
    is_shown_once=True,
)
CODE = _operation(
    "makeCode",
    "POST",
    "/accounts/code",
    "account code",
    "Make a code for one sign-in of an account.",
    {"account": _ACCOUNT},
    _CODE,
    required=("account",),
    done=_code_at("/login/code/"),
)
TOKENS = _operation(
    "readTokens",
    "GET",
    "/tokens",
    "account token-list",
    "API tokens, without their secrets; one's own, or of an account.",
    {"account": _ACCOUNT},
    rows(
        record(
            {
                **each(TEXT, "id", "name", "account", "role", "scope"),
                "addresses": TEXTS,
                "made_at": maybe(AT),
                "ends_at": maybe(AT),
                "used_on": maybe(TEXT),
                "ended": FLAG,
            }
        )
    ),
    roles=EVERYONE,
)
ADD_TOKEN = _operation(
    "addToken",
    "POST",
    "/tokens",
    "account token-add",
    "Make an API token; its secret is shown once.",
    {
        "name": Text(64, least=1),
        "account": _ACCOUNT,
        "role": Choice(tuple(Role)),
        "scope": Text(32, least=1, about="totals, lists, exceptions, log, all-read or all"),
        "days": Whole(1, 3_660),
        "addresses": Several(Text(64, least=1), 16, about="From these ranges only (CIDR)"),
    },
    record({"id": TEXT, "token": TEXT, "ends_at": maybe(AT)}),
    required=("name", "role", "scope", "days"),
    roles=EVERYONE,
)
REVOKE_TOKEN = _operation(
    "revokeToken",
    "POST",
    "/tokens/{id}/revoke",
    "account token-revoke",
    "Revoke an API token.",
    {"id": _ID},
    _OF_ID,
    required=("id",),
    roles=EVERYONE,
)
ENROLLED = _operation(
    "readEnrolledDevices",
    "GET",
    "/accounts/devices",
    "account device-list",
    "The enrolled devices, one's own or of an account.",
    {"account": _ACCOUNT},
    rows(
        record(
            {
                **each(TEXT, "id", "name", "account", "state"),
                "made_at": maybe(AT),
                "ends_at": maybe(AT),
                "used_on": maybe(TEXT),
                "tries_left": maybe(WHOLE),
            }
        )
    ),
    roles=EVERYONE,
)
ENROL = _operation(
    "makeDeviceCode",
    "POST",
    "/accounts/devices/code",
    "account device-code",
    "Make a code by which a device of an account is enrolled.",
    {"account": _ACCOUNT},
    _CODE,
    required=("account",),
    done=_code_at("/device/"),
)
CONFIRM_DEVICE = _operation(
    "confirmDevice",
    "POST",
    "/accounts/devices/{id}/confirm",
    "account device-confirm",
    "Confirm that an enrolled device is the one that was meant.",
    {"id": _ID},
    _OF_ID,
    required=("id",),
)
REVOKE_DEVICE = _operation(
    "revokeDevice",
    "POST",
    "/accounts/devices/{id}/revoke",
    "account device-revoke",
    "Revoke an enrolled device, such as a lost phone.",
    {"id": _ID},
    _OF_ID,
    required=("id",),
    roles=EVERYONE,
)
