# SPDX-License-Identifier: Apache-2.0
"""Find commands by words of their names and helps, in both languages, without diacritics.

Who looks for "thoi khoa bieu" need not know that the command is ``timetable``.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from filterd.cli import tree
from filterd.cli.context import Context, JsonOption, argument
from filterd.cli.help_pages import HelpPage, paragraphs
from filterd.policy.field_checks import bare
from filterd.texts.i18n import quoted, translated

_WORDS = re.compile(r"[^\W_]+")


def commands_with(words: list[str]) -> list[str]:
    """Return the commands whose names or helps have all of the words, the nearest first.

    A word is found where one begins with it. One in the name of a command is nearer than one in
    the line of its summary, and that than one in the rest of its help.

    Args:
        words: as a person types them; one with spaces counts as several.
    """
    wanted = _WORDS.findall(bare(" ".join(words)))
    ranked = {name: _distance(name, help_, wanted) for name, help_ in tree.helps()}
    near = {name: distance for name, distance in ranked.items() if distance is not None}
    return sorted(near, key=near.__getitem__)


def _distance(name: str, help_: str, wanted: list[str]) -> int | None:
    """Return how far the words are from the name of a command; None where one is not in it."""
    summary, *others = paragraphs(help_)
    rest = (text for paragraph in others for text in _both(paragraph))
    places = [_words(name), _words(*_both(summary)), _words(*rest)]
    distance = 0
    for word in wanted:
        near = (at for at, heard in enumerate(places) if any(h.startswith(word) for h in heard))
        nearest = next(near, None)
        if nearest is None:
            return None
        distance += nearest
    return distance


def _both(paragraph: str) -> list[str]:
    """Return a paragraph of a help in each language."""
    return [paragraph, translated(quoted(paragraph), "vi")]


def _words(*texts: str) -> set[str]:
    return {word for text in texts for word in _WORDS.findall(bare(text))}


def search(
    here: Context,
    words: Annotated[
        list[str] | None,
        argument("WORD", "What you want to do (default: all commands).", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find commands by words, in English or Vietnamese, with or without diacritics.

    Exit code 0: some were found; 1: none.
    """
    page, helps = HelpPage(here.texts.language), dict(tree.helps())
    rows = [(name, page.summary(helps[name])) for name in commands_with(words or [])]
    if json:
        here.print_json([{"command": name, "about": about} for name, about in rows])
    elif rows:
        page.section(here.texts("Commands"), rows)
        page.paragraph(here.texts("`filterd COMMAND --help` shows more about one."))
        here.console.print(page.text().lstrip("\n"), soft_wrap=True)
    else:
        none = here.texts("no command has '{words}' in its help", words=" ".join(words or ()))
        here.console.print(none)
    raise typer.Exit(0 if rows else 1)
