# SPDX-License-Identifier: Apache-2.0
"""Start the dashboard beside a daemon that is being tried out.

It is a process of its own, which ends with this one (prctl(2), PR_SET_PDEATHSIG); without its
libraries or a free port it only prints why.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from filterd.i18n import refused

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.i18n import Language
    from filterd.state_folder import StateFolder

_log = logging.getLogger("filterd")


def start(config: Path, state: StateFolder, language: Language) -> None:
    """Start it; the signals that this process blocks reach it."""
    folders = "--config", str(config), "--state", str(state.folder)
    words = [sys.executable, "-m", "filterd", "web", "--try", *folders, "--lang", language]
    try:
        os.posix_spawn(words[0], words, os.environ, setsigmask=())
    except OSError as error:
        _log.warning("the dashboard cannot be started: %s", refused(error))
