# SPDX-License-Identifier: Apache-2.0
"""Verify the hosts of safe modes for the manager, in a process of its own.

The manager starts ``python -m filterd.daemon.safe_search_check`` with one JSON object on its input,
the folders ``config`` and ``state``. The answer is what ``filterd safesearch verify`` prints
with ``--json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.daemon import policy_reader
from filterd.resolve import rewrite_targets


def _verify(request: dict[str, Any], output: IO[bytes]) -> None:
    config, state = Path(request["config"]), StateFolder(Path(request["state"]))
    with as_owner_of(state.folder):
        policy = policy_reader.of_files(config, state)
        found = rewrite_targets.verified(policy, state.safe_search, SystemClock())
    output.write(json.dumps([one.to_plain() for one in found]).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_verify))
