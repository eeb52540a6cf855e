# SPDX-License-Identifier: Apache-2.0
"""The default site, state folder and language of a command.

The language is known before the words are parsed: help and usage errors are printed before
there is a command. The process that serves imports this too, so it imports nothing heavy.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError
from filterd.base.paths import SYSTEM_CONFIG, SYSTEM_STATE, read_plain
from filterd.texts.i18n import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG_VARIABLE, STATE_VARIABLE, LANG_VARIABLE = "FILTERD_CONFIG", "FILTERD_STATE", "FILTERD_LANG"
"""Environment variables for ``--config``, ``--state`` and ``--lang``."""

_MOST_OCTETS = 1 << 20
_LANGUAGES: dict[str, Language] = {"vi": "vi", "en": "en"}


def language_of(words: Sequence[str]) -> Language:
    """Return the language in which to answer these words of a command line.

    The value of ``--lang`` counts wherever it stands, else the environment, else the site; where
    there is none, as at an inspector's, the language of the system.
    An unknown language counts as not given: ``context`` refuses it, in the language that
    this returns. It never fails, and reads the site only where nothing else decides.
    """
    for given in (_last(words, "--lang"), os.environ.get(LANG_VARIABLE, "")):
        if given in _LANGUAGES:
            return _LANGUAGES[given]
    config = _last(words, "--config") or os.environ.get(CONFIG_VARIABLE)
    folder = Path(config) if config else default_config()
    if os.path.isfile(folder / "site.yaml"):  # noqa: PTH113 -- False for each error
        return language_of_site(folder)
    return _language_of_system()


def language_of_site(config: Path) -> Language:
    """Return the language of a site: English where its file cannot be read or names another."""
    given = site_value(config, "language", "vi")
    return _LANGUAGES.get(given, "en") if isinstance(given, str) else "en"


def _language_of_system() -> Language:
    """Return the language of POSIX's variables: English if it is not Vietnamese."""
    values = (os.environ.get(one) for one in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "vi" if next(filter(None, values), "").startswith("vi") else "en"


def site_value(config: Path, key: str, absent: str) -> Any:
    """Return a top-level value of ``site.yaml``, None where it cannot be read.

    A line such as ``language: vi`` is read as it stands: YAML takes longer to import and
    to parse the file than all the rest of a command.

    Args:
        config: the folder of ``site.yaml``.
        key: at the top of the file.
        absent: the value where the file has no such key.
    """
    try:
        content = read_plain(config / "site.yaml", _MOST_OCTETS)
    except (OSError, ValueError):  # ValueError: a path with a NUL in it
        return None
    lines = re.findall(rb"^%b:[ \t]+([\w/]+)[ \t]*\r?$" % key.encode(), content, re.MULTILINE)
    if len(lines) == 1:
        return lines[0].decode()
    if key.encode() not in content and not re.search(rb"[\\\0]", content):  # escapes, UTF-16
        return absent
    from filterd.documents import parse  # noqa: PLC0415 -- see above

    try:
        data = parse(content, "site.yaml").data
    except FilterdError:
        return None
    return data.get(key, absent) if isinstance(data, dict) else None


def _last(words: Sequence[str], option: str) -> str:
    """Return the value of an option, the last one where it stands several times; else ''."""
    found = ""
    for word, after in zip(words, [*words, ""][1:], strict=True):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name == option:
            found = value if equals else after
    return found


def default_config() -> Path:
    """Return the system's site if there is one, else ``./policies``."""
    return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else Path("policies")


def default_state(config: Path) -> Path:
    """Return the default state folder of a site."""
    return SYSTEM_STATE if config == SYSTEM_CONFIG else Path(".state")
