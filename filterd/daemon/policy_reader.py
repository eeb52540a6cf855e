# SPDX-License-Identifier: Apache-2.0
"""Read the policy beside the daemon: that in force, or that of the files.

What compiles files imports YAML and pydantic, so it is imported only where no daemon runs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from filterd import control
from filterd.base.errors import ControlError, StoreError
from filterd.base.paths import is_there
from filterd.policy import policy_file

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.policy.model import Policy


def in_force(config: Path, state: StateFolder) -> Policy:
    """Return the policy that a running daemon has, else that of the site's files.

    Raises:
        FilterdError: there is none.
    """
    socket = state.control_socket
    if is_there(socket):
        try:
            return policy_file.load(state.policy)
        except StoreError:  # not readable by this user
            try:
                return policy_file.parse(control.ask(socket, "policy").encode(), str(state.policy))
            except ControlError:
                if control.is_running(socket):
                    raise
    return of_files(config, state)


def of_readable_files(config: Path, state: StateFolder) -> Policy:
    """Return the policy of the files; that in force where lists cannot be read.

    Only the lists name the catalogue by which the files are compiled.

    Raises:
        FilterdError: there is none.
    """
    folder = state.folder
    if is_there(folder) and not os.access(folder, os.X_OK):
        return in_force(config, state)
    return of_files(config, state)


def of_files(config: Path, state: StateFolder) -> Policy:
    """Compile the site's files as they are now, without writing anything.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    from filterd.config.compile import compile_policy  # noqa: PLC0415 -- see above
    from filterd.config.site_reader import load_site  # noqa: PLC0415
    from filterd.lists.catalogs.catalog import load_catalog  # noqa: PLC0415
    from filterd.lists.index_files import blocklists_in_force  # noqa: PLC0415

    return compile_policy(load_site(config), load_catalog(blocklists_in_force(state).folder))
