# SPDX-License-Identifier: Apache-2.0
"""In which language a command speaks: known before its words are understood.

Help and what is wrong with a command's words are told before there is a
command, so both are told in the language that this finds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.cli.defaults import CONFIG_VARIABLE, LANG_VARIABLE, default_config
from filterd.errors import FilterdError
from filterd.i18n import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

_LANGUAGES: dict[str, Language] = {"vi": "vi", "en": "en"}


def language_of(words: Sequence[str]) -> Language:
    """Return the language in which to answer these words of a command line.

    ``--lang`` says it wherever it stands, else the environment, else the site.
    What names no language here counts as not given: it is told as wrong
    elsewhere, in the language that this returns.

    Never: fails, or reads the site where the answer is known without.
    """
    for given in (_last(words, "--lang"), os.environ.get(LANG_VARIABLE, "")):
        if given in _LANGUAGES:
            return _LANGUAGES[given]
    config = _last(words, "--config") or os.environ.get(CONFIG_VARIABLE)
    return language_of_site(Path(config) if config else default_config())


def language_of_site(config: Path) -> Language:
    """Return what the file of a site says; English where it says nothing that can be read."""
    from filterd.documents import load  # noqa: PLC0415 -- YAML is slow to import and rarely needed

    try:
        data = load(config / "site.yaml").data
    except (FilterdError, OSError, ValueError):  # ValueError: a path with a NUL in it
        return "en"
    given = data.get("language", "vi") if isinstance(data, dict) else None
    return _LANGUAGES.get(given, "en") if isinstance(given, str) else "en"


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
