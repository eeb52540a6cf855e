# SPDX-License-Identifier: Apache-2.0
"""Write the comments of YAML that ships in the language of the site.

The files have English comments; ``vi.po`` has each of them as a text like any other. A
comment is the lines beside each other that begin with ``# ``, joined. Lines that begin with
two blanks are YAML to be uncommented, and some are for machines: both stay as they are.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from filterd.i18n import quoted, translated

if TYPE_CHECKING:
    from filterd.i18n import Language

_WIDTH = 88
_COMMENT = re.compile(
    r"(?:^(?P<indent> *)# (?! |SPDX-|yaml-language-server:)\S.*\n)(?:^(?P=indent)# (?! )\S.*\n)*",
    re.MULTILINE,
)


def comments(text: str) -> list[str]:
    """Return the comments of a YAML file, each as one line without its ``#``."""
    return [_joined(found) for found in _COMMENT.finditer(text)]


def in_language(text: str, language: Language) -> str:
    """Return a shipped YAML file in a language: its comments, and ``language:``."""

    def comment(found: re.Match[str]) -> str:
        prefix = f"{found['indent']}# "
        wrapped = textwrap.wrap(
            translated(quoted(_joined(found)), language),
            _WIDTH,
            initial_indent=prefix,
            subsequent_indent=prefix,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "".join(f"{line}\n" for line in wrapped)

    spoken = text if language == "en" else _COMMENT.sub(comment, text)
    return re.sub(r"^language: \w+$", f"language: {language}", spoken, flags=re.MULTILINE)


def _joined(found: re.Match[str]) -> str:
    return " ".join(line.strip().removeprefix("# ") for line in found[0].splitlines())
