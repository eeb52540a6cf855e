# SPDX-License-Identifier: Apache-2.0
"""``filterd account recover``: let root in again when no administrator can sign in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from filterd.cli.account import SIGN_IN, ask, page_of, print_code
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.paths import read_plain, reading, write_atomically, writing

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
    request, too; a request that has a code of 12 letters or more makes it the one to be used.
    Exit code 0: made; 2: an error.
    """
    requests = _requests() if boot else []
    if boot and not requests:
        raise ConfigError(
            say("there is no file {name} on the boot partition", name=REQUESTS[0]),
            hint=say("an empty one is enough"),
        )
    done = ask(here, "recover", account=name, code=_chosen(requests))
    for one in requests:
        with writing(one):  # one that stays would make a code at every boot
            one.unlink()
    if requests:
        text = page_of(here, SIGN_IN + done["code"]) + "\n"
        write_atomically(requests[0].with_name(ANSWER), text.encode(), mode=0o600)
    print_code(here, done, json=json)


def _chosen(requests: list[Path]) -> str | None:
    """Return the code that a person wrote into the request: a box without a screen shows none."""
    for one in requests:
        with reading(one):
            text = read_plain(one, _MOST_OCTETS).decode("ascii", "replace").strip("\ufeff \r\n\t")
        if text:
            return text
    return None


def _requests() -> list[Path]:
    named = (folder / name for folder in BOOT_FOLDERS for name in REQUESTS)
    return [one for one in named if os.path.lexists(one)]
