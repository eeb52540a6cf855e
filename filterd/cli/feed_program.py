# SPDX-License-Identifier: Apache-2.0
"""``filterd feed sign-program``: sign packages of filterd for all schools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed_keys import AfterOption, NewKeyOption, key_folder
from filterd.cli.render import show
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.publish.keys import PROGRAM
from filterd.publish.program_packages import sign_program as sign_packages
from filterd.publish.version_rows import SIGNED_PACKAGES


@on_named_files
def sign_program(  # noqa: PLR0913, PLR0917 -- the options of a command
    here: Context,
    parcel: Annotated[
        Path, option("--parcel", "Folder to make and carry to the publisher.", "DIR")
    ],
    keys: Annotated[Path, option("--keys", "Folder that has program/program.pem.", "DIR")],
    packages: Annotated[list[Path] | None, argument("DEB", "The packages of one version.")] = None,
    withdraw: Annotated[
        bool, option("--withdraw", "Offer no package any more, instead of new ones.")
    ] = False,
    urgent: Annotated[
        bool, option("--urgent", "Every school takes it in its next window.")
    ] = False,
    after: AfterOption = 0,
    new_key: NewKeyOption = False,
    json: JsonOption = False,
) -> None:
    """Sign packages of filterd, on the machine of the key of the role program.

    They must be of one version, above the last one. One school in a hundred takes it at once, one
    in ten after two days, all after five. Exit code 0: signed; 2, 20: an error, nothing is signed.
    """
    if bool(packages) == withdraw:
        raise ConfigError(say("give the packages, or --withdraw"))
    folder = key_folder(here, keys)
    path = folder.paths(PROGRAM)[0]
    signers = [folder.next_key(path)] if new_key else folder.signers(PROGRAM)
    signed = sign_packages(
        packages or (), parcel, signers, now=here.clock.wall(), after=after, urgent=urgent
    )
    if new_key:
        folder.promote(path)
    if json:
        here.print_json(asdict(signed))
        return
    title = say(
        "Signed packages of filterd {newest}, version {version} of the role",
        newest=signed.newest or "-",
        version=signed.version,
    )
    show(here, SIGNED_PACKAGES._replace(title=title), [asdict(one) for one in signed.packages])
    here.console.print(
        here.texts("Signed: carry {folder} to the publisher", folder=parcel), soft_wrap=True
    )
