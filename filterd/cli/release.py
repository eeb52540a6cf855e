# SPDX-License-Identifier: Apache-2.0
"""``filterd release``: the releases on this machine, for its package and its updates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from filterd.appliance.releases import RELEASES, UNPACKED, Releases
from filterd.cli.context import Context, JsonOption, on_named_files, option
from filterd.cli.render import show
from filterd.errors import ConfigError
from filterd.i18n import say, say_n


@on_named_files
def list_(here: Context, json: JsonOption = False) -> None:
    """Show the releases of filterd on this machine, and which one is in service.

    `newest` is the one that dpkg unpacked last: after a rollback another one is in service.
    Exit code 0: shown; 2: an error.
    """
    show(here, RELEASES, Releases.of_this_machine().rows(), json=json)


@on_named_files
def activate(
    here: Context,
    unpacked: Annotated[
        Path, option("--from", "Folder of the unpacked release.", "DIR")
    ] = UNPACKED,
) -> None:
    """Put the release that dpkg unpacked in service, if it passes its self-test.

    The package does this. Services are not restarted, and on an error the release before stays
    in service. Exit code 0: it is in service; 2: an error.
    """
    _begin_as_root()
    name = Releases.of_this_machine().activate(unpacked, here.config, here.state.folder)
    here.print(say("In service: release {name}", name=name))


@on_named_files
def rollback(here: Context) -> None:
    """Put the release before this one back in service, and restart the services.

    It needs neither dpkg nor a network. Exit code 0: it is in service; 2: an error.
    """
    _begin_as_root()
    name = Releases.of_this_machine().roll_back()
    here.print(say("In service: release {name}", name=name))


@on_named_files
def restore(here: Context) -> None:  # noqa: ARG001 -- as every command
    """Put the units of the release in service in place, where dpkg has unpacked others.

    The package does this when an installation is broken off. Exit code 0: done; 2: an error.
    """
    _begin_as_root()
    Releases.of_this_machine().restore()


def test(here: Context) -> None:
    """Test this release with the site and the lists of this machine; nothing is changed.

    Its native modules load, it accepts the site, and a daemon of its own on a loopback port
    answers and blocks a listed name of each category. Exit code 0: it may serve; 2: it must not.
    """
    from filterd.appliance import self_test  # noqa: PLC0415 -- heavy

    n = self_test.run(here.config, here.state).categories
    here.print(
        say_n(
            "The release answers, and blocks a listed name of {n} category.",
            "The release answers, and blocks a listed name of each of {n} categories.",
            n,
        )
    )


def _begin_as_root() -> None:
    if os.geteuid() != 0:
        raise ConfigError(say("only root may change the release in service"), hint=say("use sudo"))
    os.umask(0o022)  # the service's user must be able to read a release
