# SPDX-License-Identifier: Apache-2.0
"""``filterd blockpage`` and ``poster``: the page for pupils, and the sheet that leads to it."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from filterd.base.errors import ConfigError
from filterd.cli.context import Context, on_named_files, option
from filterd.cli.entry import become, find_only_what_is_installed
from filterd.cli.named_files import write_named
from filterd.texts.i18n import say


@on_named_files
def blockpage(
    here: Context,
    listen: Annotated[
        list[str] | None,
        option("--listen", "Address and port to serve on; several are possible.", "ADDRESS:PORT"),
    ] = None,
) -> None:
    """Serve the page for pupils by HTTP, until stopped: why is this closed, until when, what now?

    It stands at the addresses of this machine, and answers for every name that a sinkhole leads
    here. It reads no file and may ask the daemon nothing else. Without --listen it is port 80 of
    all addresses. Exit code 0: it was stopped; 2: it could not start.
    """
    addresses = listen or ["0.0.0.0:80", "[::]:80"]
    arguments = [str(here.state.control_socket), here.texts.language, *addresses]
    find_only_what_is_installed()
    serving = [sys.executable, "-m", "filterd.blockpage.blockpage_main", *arguments]
    become(serving)


@on_named_files
def poster(
    here: Context,
    out: Annotated[Path | None, option("--out", "File to write it to.", "FILE")] = None,
    address: Annotated[
        str, option("--address", "Address of this box (default: found).", "IP")
    ] = "",
) -> None:
    """Make a poster with a QR code: how a pupil finds out why a page is closed.

    It is one A4 page of HTML in both languages, to be opened in a browser and printed. Without
    --out it is printed to the terminal. Exit code 0: made; 2: an error.
    """
    from filterd.appliance.setup.printed_sheets import poster as made  # noqa: PLC0415 -- heavy
    from filterd.cli.effective_state import policy_in_force  # noqa: PLC0415 -- for the poster only

    policy = policy_in_force(here)
    text = made(policy.school, policy.contact, f"http://{_address(address)}/")
    if out is None:
        here.console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return
    write_named(out, text, "--out")
    here.print(say("written: {file}", file=out))


def _address(given: str) -> str:
    """Return an address as it stands in an URL: the given one, or the first of the school's side.

    Raises:
        ConfigError: it is none, or none was found.
    """
    if not given:
        import asyncio  # noqa: PLC0415 -- heavy, as the next one

        from filterd.appliance.local_network import look  # noqa: PLC0415

        lan = asyncio.run(look()).lan
        given = next((str(one.ip) for link in lan for one in link.addresses), "")
    try:
        found = ip_address(given)
    except ValueError:
        raise ConfigError(
            say("the address of this box is not known"), hint=say("give it by --address")
        ) from None
    return f"[{found}]" if found.version == 6 else str(found)
