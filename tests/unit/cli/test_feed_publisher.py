# SPDX-License-Identifier: Apache-2.0
"""Required and optional arguments of the publisher's commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.cli.feed_publisher import _places
from filterd.cli.help_pages import metavar_told
from tests.support.commands import ROOT, environment

if TYPE_CHECKING:
    from tests.support.feed_desk import Desk

HEAVY = ("tuf", "securesystemslib", "cryptography", "requests")


def test_texts_of_sources_stand_beside_the_version_where_nothing_else_is_said() -> None:
    places = _places(Path("catalog"), Path("/srv/feed/version"))
    assert places.sources == Path("/srv/feed/sources")
    assert (places.given, places.popular, places.previous) == (None, None, None)
    assert _places(Path("catalog"), Path("version"), sources=Path("a")).sources == Path("a")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("init", "DIR"),
        ("build --out version", "--catalog"),
        ("build --catalog catalog", "--out"),
        ("publish", "REPO"),
        ("sign office parcel", "--keys"),
        ("sign office", "PARCEL"),
        ("rotate-key public", "ROLE"),
        ("verify", "URL|DIR"),
        ("diff 1", "V2"),
    ],
)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_what_must_be_said_is_asked_for_in_one_line(
    new_desk: Desk, words: str, missing: str, lang: str
) -> None:
    done = new_desk.call(*words.split(), lang=lang)
    assert (done.code, len(done.error_lines), done.out) == (2, 1, ""), done
    assert metavar_told(missing, "vi" if lang == "vi" else "en") in done.err


@pytest.mark.parametrize(
    "words", ["sign office parcel --keys keys --after -1", "rotate-key public root --number 0"]
)
def test_a_number_out_of_its_range_is_refused(new_desk: Desk, words: str) -> None:
    done = new_desk.call(*words.split())
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert words.split()[-2] in done.err


def test_what_only_a_publisher_needs_is_imported_when_a_command_is_called() -> None:
    code = "from filterd.cli import tree; tree.whole(); import sys\n"
    code += f"print([one for one in {HEAVY} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
