# SPDX-License-Identifier: Apache-2.0
"""Read a file of answers, and keep the answers of a set-up in the state folder.

A file of answers is YAML: the id of a question and its answer, or a list of answers, as they
would be typed.
The kept ones are those of an interrupted set-up, or of the last one that was finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.documents import load
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.appliance.interview import Answers

_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The answers so far; ``is_done`` where the set-up was finished with them."""

    answers: dict[str, str]
    is_done: bool = False


KEPT = FileFormat(
    KeptAnswers,
    magic=b"filterd setup ",
    title=say("file of answers"),
    remedy=say("run `filterd setup` again"),
    most_octets=_LARGEST,
)


def load_answers(path: Path) -> Answers:
    """Return the answers of a file that a person wrote.

    Raises:
        ConfigError: it cannot be read, is no YAML, or has something that is no answer.
    """
    document = load(path, as_text=True)
    if not isinstance(document.data, dict):
        raise document.error(
            say("this is no file of answers"), (), hint=say("such as: school: Nguyen Du")
        )
    return {key: _text(value, key, str(path)) for key, value in document.data.items()}


def _text(value: Any, key: str, path: str) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one, key, path) for one in value)
    if isinstance(value, dict):
        raise ConfigError(
            say("{key}: text expected, not {value}", key=key, value=str(value)[:40]),
            path=path,
            hint=say("write it as you would type it"),
        )
    return str(value)
