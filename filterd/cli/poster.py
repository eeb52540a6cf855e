# SPDX-License-Identifier: Apache-2.0
"""``filterd poster``: a sheet for the classroom that leads to the page for pupils."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from filterd.cli.context import Context, on_named_files, option, write_named
from filterd.cli.effective_state import policy_in_force
from filterd.errors import ConfigError
from filterd.i18n import say


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
    from filterd.appliance.pupil_poster import poster as made  # noqa: PLC0415 -- heavy

    policy = policy_in_force(here)
    text = made(policy.school, policy.contact, f"http://{_address(address)}/")
    if out is None:
        here.console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return
    write_named(out, text, "--out")
    here.console.print(here.texts("written: {file}", file=out))


def _address(given: str) -> str:
    """Return an address as it stands in an URL: the given one, or the first of the school's side.

    Raises:
        ConfigError: it is none, or none was found.
    """
    from filterd.appliance.local_network import look  # noqa: PLC0415 -- heavy

    if not given:
        lan = asyncio.run(look()).lan
        given = next((str(one.ip) for link in lan for one in link.addresses), "")
    try:
        found = ip_address(given)
    except ValueError:
        raise ConfigError(
            say("the address of this box is not known"), hint=say("give it by --address")
        ) from None
    return f"[{found}]" if found.version == 6 else str(found)
