# SPDX-License-Identifier: Apache-2.0
"""5,000 hostile names, asked through the socket at the level full, are harmless in every view.

Each is another name there too: as many different names are shown as were asked.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rrset
import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.overrides.history.store import Store
from tests.support.commands import ROOT, call, environment
from tests.support.daemon import (
    WITHIN_S,
    copy_lists,
    free_port,
    is_free,
    noon,
    serving,
    write_site,
)
from tests.support.day_lookups import select
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = [pytest.mark.usefixtures("warm_children"), pytest.mark.long]
NAMES, OF_SEVERAL, DEVICES = 5_000, 300, 40
ASKERS = 9  # 2k - 1: k - 1 of them may be those of who reads
CLASS = "11A"
SITE = f"""\
  home: {{{{cidrs: [127.0.70.0/24], class: {CLASS}}}}}
classes: {{{{{CLASS}: {{{{grade: 11}}}}}}}}
workers: 2
time_zone: {{zone}}
"""
PARTS = [
    b"\n", b"\r\n", b"\t", b"\0", b"\x7f", b"\x1b[31m", b"\x1b]0;title\x07", b"\x9b2j", b"\x08\x08",
    b"<script>alert(1)</script>", b"<b>", b"&amp;", b"[red]", b"[/red]", b"[link=x]", b":smile:",
    b"=1+1", b"=cmd|' /c calc'!a0", b"+1", b"-1", b"@sum(1)", b"'=1", b"'", b"''=1", b";=1", b",=1",
    "\u202e".encode(), "\u200f".encode(), "\u2066".encode(), "\ufeff".encode(), "\u2028".encode(),
    "\u0111\u1ebfm".encode(), b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"a.b", b".", b"a\\.b", b"\\",
    b"\\000", b'"', b'",', b"%s", b"{0}", b"$(id)", b"`id`", b"../..", b"' or 1=1 --", b"%", b"_",
    b"*", b"/", b"/*", b"--", b" ", b" 1", b"#1", b"0x1", b"1e5", b"null", b"true", b"2026-11-28",
]  # fmt: skip
"""Labels, and parts of labels."""
_ALIKE = b"=1", b"'=1", b"''=1"
"""In a cell of a spreadsheet the first one must not be a formula, nor look like the others."""
_UPPER = re.compile(rb"[A-Z]")


def _labels(number: int, chance: random.Random) -> tuple[bytes, ...]:
    """Return the labels of a name: the hostile ones first, with a number that no other has."""
    part, own = PARTS[number % len(PARTS)], b"%d" % (number // len(PARTS))
    match chance.randrange(5):
        case 0:
            return part, own, b"example"
        case 1:
            return part + own, b"example"
        case 2:
            return own + part, chance.choice(PARTS), b"example"
        case 3:
            return part, chance.choice(PARTS) + own, part
        case _:  # 255 octets
            end = 255 - 1 - 64 - 64 - 64 - (1 + len(part + own)) - 1
            return part + own, b"\xff" * 63, b"=" * 63, (part * 63)[:63], b"z" * end


def _wire(labels: tuple[bytes, ...]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def hostile() -> list[bytes]:
    """Return the names in wire form."""
    chance, found = random.Random(20), dict.fromkeys(_wire((one, b"example")) for one in _ALIKE)
    for number in range(NAMES + len(PARTS)):
        found[_wire(_labels(number, chance))] = None
    names = list(found)[:NAMES]
    assert len(names) == NAMES
    assert {len(name) for name in names} >= {255}
    assert not any(map(_UPPER.search, names)), "they are canonical"
    return names


def text_of(name: bytes) -> str:
    r"""Return the presentation form of RFC 1035 section 5.1, with \DDD for most octets."""
    shown, at = list[str](), 0
    while name[at]:
        label = name[at + 1 : at + 1 + name[at]]
        shown.append("".join(map(_octet, label)))
        at += 1 + name[at]
    return ".".join(shown)


def _escaped(name: bytes) -> str:
    r"""Return the name without characters that mean something to a person, such as of a URL."""
    return re.sub(r"(?<!\\)[^\w\\.]", lambda found: f"\\{ord(found[0]):03}", text_of(name))


def _octet(octet: int) -> str:
    if octet in b'"$().;@\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x21 <= octet <= 0x7E else f"\\{octet:03}"


ASKED = hostile()
TEXTS = {text_of(one) for one in ASKED}
SEVERAL = {text_of(one) for one in ASKED[:OF_SEVERAL]}


def is_harmless(text: str) -> bool:
    """Return whether a text has no control characters and none that change its direction."""
    return all(character in "\n\xa0\u202f" or character.isprintable() for character in text)


def test_the_names_are_different_also_as_texts() -> None:
    assert len(TEXTS) == NAMES
    assert len(SEVERAL) == OF_SEVERAL
    assert all(map(is_harmless, TEXTS))


def _answer(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "198.18.0.1"))
    return response


def _ask(port: int, name: bytes, device: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.settimeout(WITHIN_S)
        stub.bind((f"127.0.70.{10 + device}", 0))
        stub.sendto(a_message(name + bytes((0, 1, 0, 1))), ("127.0.0.1", port))
        answer = stub.recv(4096)
        assert answer[3] & 15 == 0, (name, answer)


@pytest.fixture(scope="module")
def followed(
    built: StateFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Path]]:
    """A daemon whose lookups were followed, and the folder of what was shown."""
    folder = tmp_path_factory.mktemp("hostile")
    state, port = copy_lists(built, folder / "state"), free_port()
    with FakeUpstream(respond=_answer) as upstream:
        more = SITE.format(zone=noon())
        config = write_site(folder / "site", port=port, upstream=upstream.port, more=more)
        store = Store(state, SystemClock())
        store.start()
        full = {"level": "full", "tier": "upper-secondary", "ends_at": SystemClock().wall() + 3600}
        store.change("log-level", full, author="lan", reason="thử")
        store.change("log-confirm", {"id": 1}, author="minh", reason="đồng ý")
        with serving(config, state.folder) as served:
            with _tails(served, folder):
                for number, name in enumerate(ASKED):
                    for device in range(ASKERS) if number < OF_SEVERAL else [number % DEVICES]:
                        _ask(port, name, device)
                until(lambda: _is_shown(folder), "the last name, and lines enough")
            until(lambda: _written(served) == NAMES + OF_SEVERAL * (ASKERS - 1), "the last lookup")
            yield served, folder


def _is_shown(folder: Path) -> bool:
    """Return whether the last name is there, or is among those that were too many.

    It need not be in the last line: each of the two workers reports in its own rhythm. The other
    process, which writes text, has its own, too.
    """
    text, plain = ((folder / one).read_text(encoding="utf-8") for one in ("tail.json", "tail.txt"))
    is_last = json.dumps(text_of(ASKED[-1])) in text or '"skipped"' in text
    return is_last and plain.count("\n") > OF_SEVERAL


def _written(served: Served) -> int:
    """Have the lookups written that the workers have; return how many are on the disk."""
    control.ask(served.state.control_socket, "log search", limit=1)
    (day,) = served.state.log_days.glob("*.sqlite3")
    ((count,),) = select(day, "SELECT SUM(n) FROM lookups")
    return int(str(count))


@contextlib.contextmanager
def _tails(served: Served, folder: Path) -> Iterator[None]:
    """Follow the lookups in two processes, whose output goes to ``tail.json``, ``tail.txt``."""
    processes = list[subprocess.Popen[bytes]]()
    try:
        for name, options in {"tail.json": ["--json"], "tail.txt": ["--lang", "vi"]}.items():
            words = ["-m", "filterd", "log", "tail", *options, *served.options]
            with (folder / name).open("wb") as out:
                process = subprocess.Popen(
                    ["env", "--default-signal=INT", sys.executable, *words],
                    cwd=ROOT,
                    env=environment(),
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            processes.append(process)
        until(lambda: all(one.stat().st_size for one in folder.glob("tail.*")), "the first lines")
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
            process.wait(WITHIN_S)


@pytest.fixture
def served(followed: tuple[Served, Path]) -> Served:
    return followed[0]


def _out(served: Served, *words: str) -> str:
    end = words.index("--") if "--" in words else len(words)
    done = call(*words[:end], *served.options, *words[end:])
    assert done.code in (0, 1), done.err
    text = done.out.replace("\r\n", "\n")  # CSV ends its lines so
    assert is_harmless(text), (words, sorted({c for c in text if not is_harmless(c)}))
    assert is_harmless(done.err), words
    return done.out


def test_live_lookups(followed: tuple[Served, Path]) -> None:
    _, folder = followed
    lines = (folder / "tail.json").read_text(encoding="utf-8")
    assert is_harmless(lines)
    events = list(map(json.loads, lines.splitlines()))
    shown = {event["name"] for event in events if "name" in event}
    skipped = sum(event.get("skipped", 0) for event in events)
    assert shown <= TEXTS
    assert shown >= SEVERAL or skipped
    plain = (folder / "tail.txt").read_text(encoding="utf-8")
    assert is_harmless(plain)
    assert len(plain.splitlines()) > OF_SEVERAL


def test_search_page_by_page(served: Served) -> None:
    found, after = list[dict[str, Any]](), list[str]()
    while True:
        page = json.loads(_out(served, "log", "search", "--limit", "500", "--json", *after))
        found += page["rows"]
        _out(served, "log", "search", "--limit", "500", "--lang", "vi", *after)
        if not page["cursor"]:
            break
        after = ["--after", page["cursor"]]
    assert {row["name"] for row in found} == TEXTS
    assert sum(row["n"] for row in found) == NAMES + OF_SEVERAL * (ASKERS - 1)


def test_each_name_is_found_by_itself_and_explained(served: Served) -> None:
    socket_path = served.state.control_socket
    for name in ASKED[:: NAMES // 200]:
        (row, *others) = control.ask(socket_path, "log search", name=name.hex())["rows"]
        assert {one["name"] for one in (row, *others)} == {text_of(name)}
        assert control.ask(socket_path, "log why", id=row["id"])["row"]["name"] == row["name"]
    for name in ASKED[: len(PARTS)]:
        found = json.loads(_out(served, "log", "search", "--json", "--", _escaped(name)))
        assert {row["name"] for row in found["rows"]} == {text_of(name)}
        shown = _out(served, "log", "why", found["rows"][0]["id"], "--lang", "vi")
        assert text_of(name) in "".join(shown.split())


def test_the_most_asked_the_new_and_those_of_a_class(served: Served) -> None:
    for words in (("top", "--limit", "500"), ("new", "--limit", "500"), ("names", CLASS)):
        answer = json.loads(_out(served, "log", *words, "--json"))
        rows = [row["name"] for row in answer["rows"]]
        assert set(rows) >= SEVERAL
        assert set(rows) <= TEXTS
        assert len(set(rows)) == len(rows)
        _out(served, "log", *words, "--lang", "vi")


@pytest.mark.parametrize(("what", "names"), [("names", SEVERAL), ("rows", TEXTS)])
def test_exports(served: Served, what: str, names: set[str]) -> None:
    lines = _out(served, "log", "export", "--what", what, "--format", "jsonl").splitlines()
    rows = [row for row in map(json.loads, lines) if "name" in row]
    assert {row["name"] for row in rows} == names
    text = _out(served, "log", "export", "--what", what, "--lang", "en")
    _notice, headings, *table = csv.reader(io.StringIO(text))
    assert {len(row) for row in table} == {len(headings)}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in table for cell in row)
    column = headings.index("Name")
    assert len({row[column] for row in table}) == len(names)


def test_status_alerts_top_and_metrics_have_no_name(served: Served) -> None:
    pages = [
        _out(served, "status"),
        _out(served, "status", "--json"),
        _out(served, "alerts", "list"),
        _out(served, "top", "--once", "--interval", "1"),
        _metrics(served),
    ]
    for page in pages:
        assert "script" not in page
        assert "z" * 20 not in page


def _metrics(served: Served) -> str:
    port = free_port()
    words = ["monitor", "--listen", f"127.0.0.1:{port}", *served.options]
    process = subprocess.Popen([sys.executable, "-m", "filterd", *words], env=environment())
    try:
        until(lambda: not is_free(port), "the monitor")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            text: str = page.read().decode()
    finally:
        process.kill()
        process.wait()
    assert "filterd_" in text
    assert is_harmless(text)
    return text
