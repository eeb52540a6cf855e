# SPDX-License-Identifier: Apache-2.0
"""Whatever a server sends is unpacked and read within the bounds of a child, or not at all."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import pytest

from filterd.base import bounded_child
from filterd.base.errors import FilterdError, ForeignContentError, ListError, TooLargeError
from filterd.feed.followed import text_judgement
from filterd.feed.followed.packed_text import packing_of
from filterd.feed.followed.text_judgement import ArrivedText, TextFacts, judge
from filterd.feed.version_files import sha256_of
from tests.support.hostile_archives import ARCHIVES, GOOD, TEXTS, tar_gz
from tests.support.hostile_archives import member as tar_member

if TYPE_CHECKING:
    from pathlib import Path

MOST_OCTETS = 16 << 20
CONDITIONS = b"".join(
    b"||a%d.example^$dnstype=A,denyallow=b%d.example\n" % (n, n) for n in range(12_000)
)
"""A list of which each line is a condition of its own; it takes 8 MB."""
HOSTILE = {**ARCHIVES, **TEXTS}
HARMLESS = {"/deep.zip"}
"""What is a list all the same: a name in an archive leads nowhere."""


def _arrived(folder: Path, content: bytes, address: str = "/list.txt", **more: str) -> ArrivedText:
    path = folder / "text"
    path.write_bytes(content)
    form = more.pop("form", "domains")
    return ArrivedText(
        str(path), "one", form, packing_of(address), more.pop("member", ""), MOST_OCTETS, **more
    )


def test_a_child_unpacks_a_text_in_place_and_counts_it(tmp_path: Path) -> None:
    packed = tar_gz(tar_member(b"domains", GOOD))
    facts = judge(_arrived(tmp_path, packed, "/list.tar.gz", member="domains"))
    digest = sha256_of(tmp_path / "text")
    assert digest is not None
    assert facts == TextFacts(digest, len(GOOD), 40, 0)
    assert (tmp_path / "text").read_bytes() == GOOD


def test_a_known_text_is_not_read_again(tmp_path: Path) -> None:
    text = _arrived(tmp_path, GOOD)
    known = sha256_of(tmp_path / "text")
    assert judge(ArrivedText(text.path, "one", "domains", "", "", MOST_OCTETS, str(known))) is None


def test_what_is_refused_in_the_child_has_its_kind_and_reason(tmp_path: Path) -> None:
    with pytest.raises(ForeignContentError, match="one: it has no names"):
        judge(_arrived(tmp_path, b"# nothing\n"))


@pytest.mark.parametrize("path", sorted(HOSTILE))
def test_a_hostile_text_is_refused_in_a_line(tmp_path: Path, path: str) -> None:
    """In this process: what costs memory or time by itself is refused before it does."""
    text = _arrived(tmp_path, HOSTILE[path](), path, member="domains" if ".tar" in path else "")
    before = resource.getrusage(resource.RUSAGE_SELF)
    if path in HARMLESS:
        assert text.judged() is not None
    else:
        with pytest.raises(FilterdError) as refused:
            text.judged()
        assert "\n" not in str(refused.value)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 20
    assert [one.name for one in tmp_path.iterdir()] == ["text"]


def test_a_list_that_takes_more_memory_than_a_list_needs_ends_in_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_judgement, "MEMORY_OCTETS", 4 << 20)
    with pytest.raises(TooLargeError, match="one: to read it takes more memory than a list needs"):
        judge(_arrived(tmp_path, CONDITIONS, form="adblock"))


def test_control_within_the_usual_bound_it_is_read(tmp_path: Path) -> None:
    facts = judge(_arrived(tmp_path, CONDITIONS, form="adblock"))
    assert facts is not None
    assert facts.entries == 12_000


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="one: it cannot be judged: it took more than 0 s"):
        judge(_arrived(tmp_path, GOOD), limit_s=0.0)


def test_a_child_that_takes_too_much_of_the_processor_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_judgement, "CPU_LIMIT_S", 1)
    slow = b"0.0.0.0 b\n" * (MOST_OCTETS // 10)
    with pytest.raises(ListError, match="the kernel ended it"):
        judge(_arrived(tmp_path, slow, form="adblock"))


@pytest.mark.parametrize(
    "words", ["kill -9 $$", "kill -11 $$", "exit 3", "echo '{}'", "echo '[1]'", "yes"]
)
def test_a_child_that_ends_otherwise_costs_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(bounded_child, "command", lambda _: ["/bin/sh", "-c", words])
    with pytest.raises(ListError, match="one: it cannot be judged"):
        judge(_arrived(tmp_path, GOOD))


def test_the_bounds_are_those_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[dict[str, object]]()

    def run(_: object, *, request: bytes, **_more: object) -> bounded_child.Ended:
        asked.append(json.loads(request))
        return bounded_child.Ended(0, b'{"facts": null}', b"")

    monkeypatch.setattr(bounded_child, "run", run)
    assert judge(_arrived(tmp_path, GOOD)) is None
    assert (asked[0]["memory_octets"], asked[0]["cpu_s"]) == (128 << 20, 180)
