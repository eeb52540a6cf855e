# SPDX-License-Identifier: Apache-2.0
"""``filterd account token-...`` and ``device-...``: how accounts get in without a password."""

from __future__ import annotations

from typing import Annotated

from filterd.accounts.account_rows import ENROLLED, TOKENS
from filterd.cli.account import ENROL, AccountArgument, ask, print_code, print_done, print_once
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.render import facts, show
from filterd.i18n import say

_LONGEST_DAYS = 365

IdArgument = Annotated[str, argument("ID", "As the list shows it.")]
OfAccountOption = Annotated[
    str | None, option("--account", "Of this account; else: your own.", "NAME")
]
OnlyOption = Annotated[str | None, option("--account", "Only those of this account.", "NAME")]


def token_add(
    here: Context,
    name: Annotated[str, argument("NAME", 'What it is for, such as "Monthly report".')],
    role: Annotated[str, option("--role", "Role; at most one of the account's.", "ROLE")],
    scope: Annotated[
        str, option("--scope", "totals, lists, exceptions, log, all-read or all.", "SCOPE")
    ],
    account: OfAccountOption = None,
    days: Annotated[
        int, option("--days", "Days until it ends.", "N", min=1, max=_LONGEST_DAYS)
    ] = 90,
    network: Annotated[
        list[str] | None,
        option("--network", "Only from these addresses; can be repeated.", "CIDR"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a token by which a program asks the API.

    It is shown this once. Exit code 0: made; 2: an error.
    """
    done = ask(
        here,
        "token-add",
        name=name,
        account=account,
        role=role,
        scope=scope,
        days=days,
        addresses=network or None,
    )
    if json:
        here.print_json(done)
        return
    texts = here.texts
    here.console.print(facts([(texts("ID"), done["id"])]))
    here.console.print(done["token"], style="bold", soft_wrap=True)
    here.console.print(texts("A program sends it as: Authorization: Bearer TOKEN"))
    print_once(here)


def token_list(here: Context, account: OnlyOption = None, json: JsonOption = False) -> None:
    """Show the API tokens, without their secrets.

    Exit code 0: shown; 2: an error.
    """
    show(here, TOKENS, ask(here, "token-list", account=account), json=json)


def token_revoke(here: Context, id_: IdArgument, json: JsonOption = False) -> None:
    """End an API token at once.

    Exit code 0: done; 2: an error.
    """
    done = ask(here, "token-revoke", id=id_)
    what = say("The token {name} of {account} is void.", name=done["name"], account=done["account"])
    print_done(here, done, what, json=json)


def device_list(here: Context, account: OnlyOption = None, json: JsonOption = False) -> None:
    """Show the devices on which a PIN signs in.

    Exit code 0: shown; 2: an error.
    """
    show(here, ENROLLED, ask(here, "device-list", account=account), json=json)


def device_code(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """Make a code with which a person enrols a phone.

    The phone is in the staff's Wi-Fi, and waits until `account device-confirm`. The code is
    good for five minutes, and shown this once. Exit code 0: made; 2: an error.
    """
    print_code(here, ask(here, "device-code", account=name), ENROL, json=json)


def device_confirm(here: Context, id_: IdArgument, json: JsonOption = False) -> None:
    """Confirm that a device that waits is the person's.

    Exit code 0: done; 2: an error.
    """
    done = ask(here, "device-confirm", id=id_)
    what = say("{account} may sign in on {name}.", name=done["name"], account=done["account"])
    print_done(here, done, what, json=json)


def device_revoke(here: Context, id_: IdArgument, json: JsonOption = False) -> None:
    """End the enrolment of a device at once.

    Such as of a lost phone. Exit code 0: done; 2: an error.
    """
    done = ask(here, "device-revoke", id=id_)
    what = say(
        "{account} may not sign in on {name} any more.", name=done["name"], account=done["account"]
    )
    print_done(here, done, what, json=json)
