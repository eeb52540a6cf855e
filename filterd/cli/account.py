# SPDX-License-Identifier: Apache-2.0
"""``filterd account``: who may sign in to the dashboard, and as what."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import segno

from filterd import control
from filterd.accounts.account_rows import ACCOUNTS
from filterd.certificate_facts import CertificateFacts, facts_in
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.render import facts, show
from filterd.cli.secret_prompt import ask_secret, new_password
from filterd.errors import ConfigError
from filterd.i18n import Sentence, say

PORT = 8443
"""Of the dashboard; see ``deploy/units/filterd-web.socket``."""
SIGN_IN, ENROL = "/login/code/", "/device/"
"""The pages that take a code."""

AccountArgument = Annotated[str, argument("NAME", "The account, such as lan.")]
RolesOption = Annotated[
    list[str],
    option("--role", "reader, teacher, principal, inspector or admin; can be repeated.", "ROLE"),
]


def ask(here: Context, command: str, **arguments: Any) -> Any:
    """Ask the daemon for a command of accounts; None is left out.

    Raises:
        ControlError: it refuses, or none runs.
    """
    given = {key: value for key, value in arguments.items() if value is not None}
    return control.ask(here.state.control_socket, f"account {command}", **given)


def list_(here: Context, json: JsonOption = False) -> None:
    """Show the accounts of the dashboard.

    Exit code 0: shown; 2: an error.
    """
    show(here, ACCOUNTS, ask(here, "list"), json=json)


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
    password = None if code else new_password(here)
    done = ask(here, "add", account=name, roles=role, password=password)
    if code:
        print_code(here, ask(here, "code", account=name), json=json)
        return
    print_done(here, done, say("{name} may sign in.", name=done["account"]), json=json)


def passwd(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """Set another password.

    It is asked for, or read from standard input. All sessions of the account end. Exit code 0:
    done; 2: an error.
    """
    done = ask(here, "passwd", account=name, password=new_password(here))
    print_done(here, done, say("The password of {name} is another one.", name=name), json=json)


def roles(
    here: Context, name: AccountArgument, role: RolesOption, json: JsonOption = False
) -> None:
    """Give an account these roles, and no other ones.

    Exit code 0: done; 2: an error.
    """
    done = ask(here, "roles", account=name, roles=role)
    what = say("{name} has the roles {roles}.", name=name, roles=", ".join(done["roles"]))
    print_done(here, done, what, json=json)


def disable(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """End all sessions of an account, and let it sign in no more.

    Exit code 0: done; 2: an error.
    """
    done = ask(here, "disable", account=name)
    print_done(here, done, say("{name} may not sign in any more.", name=name), json=json)


def enable(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """Let a disabled account sign in again.

    Exit code 0: done; 2: an error.
    """
    done = ask(here, "enable", account=name)
    print_done(here, done, say("{name} may sign in.", name=name), json=json)


def totp(
    here: Context,
    name: AccountArgument,
    off: Annotated[bool, option("--off", "Ask for no code any more.")] = False,
    json: JsonOption = False,
) -> None:
    """Ask for a code of an authenticator, too, at the sign-in (TOTP).

    The secret is shown once, as a QR code for the phone; a first code of the phone is asked
    for. Exit code 0: done; 2: an error.
    """
    if not off:
        _enrol(here, name)
        done = ask(here, "totp", account=name, on=True, code=_typed_code(here))
    else:
        done = ask(here, "totp", account=name, on=False)
    what = (
        say("{name} signs in without an authenticator.", name=name)
        if off
        else say("{name} signs in with the authenticator from now on.", name=name)
    )
    print_done(here, done, what, json=json)
    if done.get("codes") and not json:
        here.console.print(here.texts("Recovery codes, each good once:"))
        _print_codes(here, done["codes"])


def recovery(here: Context, name: AccountArgument, json: JsonOption = False) -> None:
    """Make ten recovery codes, for when the authenticator is lost.

    Each is good once; those from before are void. They are shown this once. Exit code 0: made;
    2: an error.
    """
    done = ask(here, "recovery", account=name)
    if json:
        here.print_json(done)
        return
    _print_codes(here, done["codes"])


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
    print_code(here, ask(here, "code", account=name), json=json)


def print_code(
    here: Context, done: dict[str, Any], page: str = SIGN_IN, *, json: bool = False
) -> None:
    """Print a code that is good once, and the page that takes it."""
    if json:
        here.print_json(done)
        return
    address = page_of(here, page + done["code"])
    texts, minutes = here.texts, round(done["for_s"] / 60)
    rows = [(texts("Account"), done["account"]), (texts("Code"), done["code"])]
    here.console.print(facts([*rows, (texts("Page to open"), address)]), soft_wrap=True)
    _print_qr(here, address)
    here.console.print(texts("Good once, for {n} minutes.", n=minutes))
    print_once(here)


def page_of(here: Context, path: str) -> str:
    """Return the address of a page of the dashboard, as devices of the school reach it."""
    found = facts_in(here.state.web) or CertificateFacts("", 0.0, 0.0)
    addresses = (one for one in found.addresses if ":" not in one and not one.startswith("127."))
    names = (one for one in found.names if "*" not in one)
    host = next(addresses, next(names, "127.0.0.1"))
    return f"https://{host}:{PORT}{path}"


def _enrol(here: Context, name: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            say("this is no terminal, so no question can be asked"),
            hint=say("the page of your account can do the same"),
        )
    made = ask(here, "totp", account=name, on=True)
    here.console.print(facts([(here.texts("Secret"), made["secret"])]))
    _print_qr(here, made["uri"])
    print_once(here)


def _print_codes(here: Context, codes: list[str]) -> None:
    for one in codes:
        here.console.print(one)
    print_once(here)


def _typed_code(here: Context) -> str:
    missing = ConfigError(say("no code was given"), hint=say("nothing has changed"))
    return ask_secret(here, say("Code of the authenticator"), missing)


def _print_qr(here: Context, text: str) -> None:
    if here.console.is_terminal:
        segno.make(text, error="l").terminal(compact=True)


def print_once(here: Context) -> None:
    """Print that a secret is not shown again."""
    here.console.print(here.texts("This is shown once only."), style="bold")


def print_done(here: Context, done: Any, what: Sentence, *, json: bool) -> None:
    """Print the answer to a command as a sentence."""
    if json:
        here.print_json(done)
    else:
        here.console.print(here.texts(what))
