# SPDX-License-Identifier: Apache-2.0
"""A daemon with one worker, for tests that harm one of its processes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from tests.support.daemon import Served, copy_lists, free_port, serving, write_site
from tests.support.processes import children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder


class School(NamedTuple):
    """The daemon and its port."""

    served: Served
    port: int

    @property
    def manager(self) -> int:
        """The process ID of the manager, which is forked first."""
        return children(self.served.process.pid)[0]

    @property
    def worker(self) -> int:
        """The process ID of the worker."""
        return children(self.served.process.pid)[1]


@contextlib.contextmanager
def a_school(folder: Path, built: StateFolder, *program: str) -> Iterator[School]:
    """Start one with compiled lists, and end it.

    Args:
        folder: of the test.
        built: the state folder with the compiled lists.
        program: what the interpreter runs; a control gives it another.
    """
    port = free_port()
    config = write_site(folder / "site", port=port)
    state = copy_lists(built, folder / "state")
    with serving(config, state.folder, program=program or ("-m", "filterd")) as served:
        yield School(served, port)
