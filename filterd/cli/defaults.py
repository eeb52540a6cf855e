# SPDX-License-Identifier: Apache-2.0
"""Which site and which state are meant where a command does not say.

It imports nothing that is for people, because the process that serves begins
here too.
"""

from __future__ import annotations

from pathlib import Path

from filterd.paths import SYSTEM_CONFIG, SYSTEM_STATE

CONFIG_VARIABLE, STATE_VARIABLE, LANG_VARIABLE = "FILTERD_CONFIG", "FILTERD_STATE", "FILTERD_LANG"
"""Variables of the environment that say what ``--config``, ``--state`` and ``--lang`` say."""


def default_config() -> Path:
    """Return the system's site if there is one, else the folder beside us."""
    return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else Path("policies")


def default_state(config: Path) -> Path:
    """Return the state folder that goes with a site."""
    return SYSTEM_STATE if config == SYSTEM_CONFIG else Path(".state")
