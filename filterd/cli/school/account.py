# SPDX-License-Identifier: Apache-2.0
"""``filterd account``: people, phones and programs that may use the dashboard and the API."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import segno

from filterd.base.certificate_facts import CertificateFacts, facts_in
from filterd.base.errors import ConfigError
from filterd.base.paths import read_plain, reading, write_atomically, writing
from filterd.base.state_file import to_plain
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.render import facts
from filterd.cli.terminal import ask_secret, new_password
from filterd.operations.accounts import (
    FIRST_ACCOUNT,
    AddAccount,
    MakeCode,
    MakeRecoveryCodes,
    RecoverAccount,
    SetAuthenticator,
    SetPassword,
)
from filterd.operations.api_tokens import AddToken
from filterd.operations.enrolled_devices import (
    MakeDeviceCode,
)
from filterd.texts import counted
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.operations.accounts import OneTimeCode

PORT = 8443
"""Of the dashboard; see ``deploy/units/filterd-web.socket``."""
SIGN_IN, ENROL = "/login/code/", "/device/"
"""The pages that take a code."""

AccountArgument = Annotated[str, argument("NAME", "The account, such as lan.")]
RolesOption = Annotated[
    list[str],
    option("--role", "reader, teacher, principal, inspector or admin; can be repeated.", "ROLE"),
]


def add(
    here: Context,
    name: Annotated[str, argument("NAME", "As at the gateway, if the person has a user there.")],
    role: RolesOption,
    code: Annotated[
        bool, option("--code", "Ask for no password; make a code for the first sign-in.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make an account for a person.

    The password is asked for, or read from standard input. With --code the person chooses it at
    the first sign-in. Exit code 0: made; 2: an error.
    """
    password = "" if code else new_password(here)
    done = here.send(AddAccount(account=name, roles=tuple(role), password=password))
    if code:
        print_code(here, here.send(MakeCode(account=name)), json=json)
        return
    print_done(here, done, say("{name} may sign in.", name=done.account), json=json)


def passwd(
    here: Context,
    name: AccountArgument,
    end: Annotated[
        bool, option("--end-all", "End the account's enrolled devices and API tokens, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Set a new password.

    It is asked for, or read from standard input. All sessions of the account end; devices and
    API tokens go on without --end-all. Exit code 0: done; 2: an error.
    """
    password = new_password(here)
    done = here.send(SetPassword(account=name, password=password, end=end))
    print_done(here, done, say("The password of {name} was changed.", name=name), json=json)
    if (done.devices or done.tokens) and not json:
        here.warn(
            say(
                "{name} has {devices} and {tokens} that go on: --end-all ends them",
                name=name,
                devices=counted.devices(done.devices),
                tokens=counted.api_tokens(done.tokens),
            )
        )


def totp(
    here: Context,
    name: AccountArgument,
    off: Annotated[bool, option("--off", "Do not ask for a code any more.")] = False,
    json: JsonOption = False,
) -> None:
    """Ask for a code of an authenticator, too, at the sign-in (TOTP).

    The secret is shown once, as a QR code for the phone; a first code of the phone is asked
    for. Exit code 0: done; 2: an error.
    """
    if off:
        done = here.send(SetAuthenticator(account=name, on=False))
        what = say("{name} signs in without an authenticator.", name=name)
    else:
        _enrol(here, name)
        done = here.send(SetAuthenticator(account=name, on=True, code=_typed_code(here)))
        what = say("{name} signs in with the authenticator from now on.", name=name)
    print_done(here, done, what, json=json)
    if done.get("codes") and not json:
        here.print(say("Recovery codes, each for one sign-in:"))
        _print_codes(here, done["codes"])


def recovery(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """Make ten recovery codes, for when the authenticator is lost.

    Each works once; earlier ones no longer do. They are shown only now. Exit code 0: made;
    2: an error.
    """
    done = here.send(MakeRecoveryCodes(account=name))
    if json:
        here.print_json(to_plain(done))
        return
    _print_codes(here, done.codes)


def code(
    here: Context,
    name: Annotated[
        str | None, argument("NAME", "The account; none: admin, the first one.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a code that signs in once.

    Such as for a first sign-in, or a forgotten password. It is good for a quarter of an hour,
    and shown this once. Exit code 0: made; 2: an error.
    """
    print_code(here, here.send(MakeCode(account=name or FIRST_ACCOUNT)), json=json)


def print_code(
    here: Context, done: OneTimeCode, page: str = SIGN_IN, *, json: bool = False
) -> None:
    """Print a code that is good once, and the page that takes it."""
    if json:
        here.print_json(to_plain(done))
        return
    address = page_of(here, page + done.code)
    texts, minutes = here.texts, round(done.for_s / 60)
    rows = [(texts("Account"), done.account), (texts("Code"), done.code)]
    here.console.print(facts([*rows, (texts("Page to open"), address)]), soft_wrap=True)
    _print_qr(here, address)
    here.print(say("It works once, within {n} minutes.", n=minutes))
    print_once(here)


def page_of(here: Context, path: str) -> str:
    """Return the address of a page of the dashboard, as devices of the school reach it."""
    found = facts_in(here.state.web) or CertificateFacts("", 0.0, 0.0)
    addresses = (
        address
        for address in found.addresses
        if ":" not in address and not address.startswith("127.")
    )
    names = (name for name in found.names if "*" not in name)
    host = next(addresses, next(names, "127.0.0.1"))
    return f"https://{host}:{PORT}{path}"


def _enrol(here: Context, name: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            say("this is not a terminal, so no question can be asked"),
            hint=say("the page of your account can do the same"),
        )
    made = here.send(SetAuthenticator(account=name, on=True))
    here.console.print(facts([(here.texts("Secret"), made["secret"])]))
    _print_qr(here, made["uri"])
    print_once(here)


def _print_codes(here: Context, codes: Iterable[str]) -> None:
    for code in codes:
        here.console.print(code)
    print_once(here)


def _typed_code(here: Context) -> str:
    missing = ConfigError(say("no code was given"), hint=say("nothing has changed"))
    return ask_secret(here, say("Code of the authenticator"), missing)


def _print_qr(here: Context, text: str) -> None:
    if here.console.is_terminal:
        segno.make(text, error="l").terminal(compact=True)


def print_once(here: Context) -> None:
    """Print that a secret is not shown again."""
    here.print(say("It is shown only now."), "bold")


def print_done(here: Context, done: Any, what: Sentence, *, json: bool) -> None:
    """Print the answer to a command as a sentence."""
    if json:
        here.print_json(to_plain(done))
    else:
        here.print(what)


_LONGEST_DAYS = 365

OfAccountOption = Annotated[
    str | None, option("--account", "Of this account; else: your own.", "NAME")
]


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

    It is shown only now. Exit code 0: made; 2: an error.
    """
    asked = AddToken(
        name=name,
        account=account or "",
        role=role,
        scope=scope,
        days=days,
        addresses=tuple(network or ()),
    )
    done = here.send(asked)
    if json:
        here.print_json(to_plain(done))
        return
    here.console.print(facts([(here.texts("ID"), done.id)]))
    here.console.print(done.token, style="bold", soft_wrap=True)
    here.print(say("A program sends it as: Authorization: Bearer TOKEN"))
    print_once(here)


def device_code(here: Context, asked: MakeDeviceCode, json: JsonOption = False) -> None:
    """Make a code with which a person enrols a phone.

    The phone is in the staff's Wi-Fi, and waits until `account device-confirm`. The code is
    good for five minutes, and shown this once. Exit code 0: made; 2: an error.
    """
    print_code(here, here.send(asked), ENROL, json=json)


BOOT_FOLDERS = (Path("/boot/firmware"), Path("/boot"))
"""The partition of a card that any computer can read, by the age of the system."""
REQUESTS = ("filterd-recover", "filterd-recover.txt")
"""The second one is what editors on Windows make of the first."""
ANSWER = "filterd-recover-code.txt"
_MOST_OCTETS = 1024


@on_named_files  # the boot partition is root's
def recover(
    here: Context,
    name: Annotated[
        str | None, argument("NAME", "The administrator; none: the account admin.")
    ] = None,
    boot: Annotated[
        bool,
        option("--boot", "Answer the file filterd-recover on the boot partition, then remove it."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Let an administrator in again, as root at the console.

    It makes a code that signs in once, for when password or authenticator are lost. The
    history records it, and everybody is alerted. With --boot the code is written beside the
    request, too; where the request itself has a code of 12 characters or more, that code is used.
    Exit code 0: made; 2: an error.
    """
    requests = _requests() if boot else []
    if boot and not requests:
        raise ConfigError(
            say("there is no file {name} on the boot partition", name=REQUESTS[0]),
            hint=say("an empty one is enough"),
        )
    asked = RecoverAccount(account=name or FIRST_ACCOUNT, code=_chosen(requests))
    done = here.send(asked)
    for request in requests:
        with writing(request):  # one that stays would make a code at every boot
            request.unlink()
    if requests:
        text = page_of(here, SIGN_IN + done.code) + "\n"
        write_atomically(requests[0].with_name(ANSWER), text.encode(), mode=0o600)
    print_code(here, done, json=json)


def _chosen(requests: list[Path]) -> str:
    """Return the code that a person wrote into the request: a box without a screen shows none."""
    for request in requests:
        with reading(request):
            text = (
                read_plain(request, _MOST_OCTETS).decode("ascii", "replace").strip("\ufeff \r\n\t")
            )
        if text:
            return text
    return ""


def _requests() -> list[Path]:
    named = (folder / name for folder in BOOT_FOLDERS for name in REQUESTS)
    return [one for one in named if os.path.lexists(one)]
