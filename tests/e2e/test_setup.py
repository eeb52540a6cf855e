# SPDX-License-Identifier: Apache-2.0
"""``filterd setup`` in a school: by a person at a terminal, and by a file of answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.base.clock import SystemClock
from tests.support.asking import Asker
from tests.support.commands import ROOT, call, environment
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.feed_school import answer
from tests.support.school_lab import LINKS, SchoolLab, school_lab
from tests.support.terminal import CTRL_C, Terminal
from tests.support.upstream import FakeUpstream
from tests.support.web import Page, Web, public_server
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

SCHOOL, CLASSES = "Trường THCS Nguyễn Du", "6A 9A"
TYPED = {
    "Tên trường": SCHOOL,
    "Các lớp": CLASSES,
    "192.168.6.0/24 dành cho ai": "6A",
    "192.168.9.0/24 dành cho ai": "9A",
    "192.168.20.0/24 dành cho ai": "pm",
    "192.168.30.0/24 dành cho ai": "gv",
    "Chặn những gì": "3",
}
"""The line that is typed at a prompt, by what stands above it; at all others Enter."""
NAMES = (SCHOOL, CLASSES, "6A", "9A")
MOST_KEYSTROKES = 25
WITHIN_S = 180.0
"""From the command to the first filtered answer from a list that is followed."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchoolLab]:
    with school_lab(tmp_path_factory.mktemp("lab")) as made:
        shutil.rmtree(made.folder / "site")
        yield made


def _line_for(shown: str) -> str:
    return next((line for words, line in TYPED.items() if words in " ".join(shown.split())), "")


@pytest.mark.usefixtures("needs_namespaces")
def test_a_school_is_set_up_in_few_keystrokes_and_each_link_has_its_grade(lab: SchoolLab) -> None:
    terminal = Terminal(lab.command("setup"))
    terminal.answer(_line_for)
    assert terminal.code == 0, terminal.text
    assert set(TYPED.values()) <= set(terminal.typed), terminal.text
    keystrokes = sum(1 + (0 if one in NAMES else len(one)) for one in terminal.typed)
    assert keystrokes <= MOST_KEYSTROKES, terminal.typed
    seats = dict(zip(LINKS.values(), ("6A", "9A", "6", "staff"), strict=True))
    for link, seat in seats.items():
        words = ("check", "www.tiktok.com", "--client", f"{link}.20", "--lang", "en")
        shown = _run(lab.command(*words))
        assert f" {seat}" in shown, shown
    site = lab.folder / "site" / "site.yaml"
    before = site.read_text("utf-8").replace("language: vi", "language: en")
    site.write_text(before, "utf-8")
    with lab.serving():
        terminal = Terminal(lab.command("setup"))
        terminal.answer(lambda _: "")
        accounts = json.loads(_run(lab.command("account", "list", "--json")))
    assert terminal.code == 0, terminal.text
    assert [(account["account"], account["roles"]) for account in accounts] == [
        ("admin", ["admin"])
    ]
    assert "/login/code/" in terminal.text
    assert "www.1xbet.com: NXDOMAIN EDE 17" in " ".join(terminal.text.split()), terminal.text
    assert site.read_text("utf-8") == before


@pytest.mark.usefixtures("needs_namespaces")
def test_ctrl_c_leaves_the_site_as_it_was(lab: SchoolLab) -> None:
    site = lab.folder / "site" / "site.yaml"
    before = site.read_bytes() if site.exists() else None
    lines = iter(["", "Trường khác", "", CTRL_C])
    terminal = Terminal(lab.command("setup"))
    terminal.answer(lambda _: next(lines))
    assert terminal.code == 130, terminal.text
    assert (site.read_bytes() if site.exists() else None) == before


@pytest.mark.usefixtures("needs_namespaces")
def test_a_full_disk_is_a_sentence_before_the_first_question(tmp_path: Path) -> None:
    file, state = tmp_path / "answers.yaml", tmp_path / "state"
    file.write_text(f"school: {SCHOOL}\n", encoding="utf-8")
    state.mkdir()
    words = [sys.executable, "-m", "filterd", "setup", "--answers", str(file)]
    places = ["--config", str(tmp_path / "etc"), "--state", str(state)]
    mounted = f'mount -t tmpfs -o size=1m tmpfs "{state}" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", *words, *places],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "MB" in done.stderr
    assert not (tmp_path / "etc").exists()


def test_unattended_the_first_filtered_answer_of_a_followed_list_comes_soon(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, clock = free_port(), SystemClock()
    answers = tmp_path / "answers.yaml"
    answers.write_text(f"school: {SCHOOL}\nclasses: [6A]\n", encoding="utf-8")
    (tmp_path / "tls").mkdir()
    with (
        FakeUpstream(respond=answer) as upstream,
        public_server(Web(), tmp_path / "tls", monkeypatch) as web,
    ):
        web.pages["/bets.txt"] = Page(b"bets.example\n")
        follow = f"follow: [{{url: '{web.address}/bets.txt', category: gambling}}]\n"
        config = write_site(tmp_path / "site", port=port, upstream=upstream.port, more=follow)
        state = build_lists(config, tmp_path / "state")
        with serving(config, state.folder), Asker(("127.0.0.1", port), SOURCES["3"]) as asker:
            begun = clock.monotonic()
            done = call("setup", "--answers", answers, "--config", config, "--state", state.folder)
            reply = dns.message.from_wire(asker.by_udp(a_query("bets.example", message_id=1)))
            lasted_s = clock.monotonic() - begun
    assert done.code == 0, done.out + done.err
    assert not reply.answer
    assert lasted_s <= WITHIN_S


def _run(words: list[str]) -> str:
    done = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr
