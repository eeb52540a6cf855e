# SPDX-License-Identifier: Apache-2.0
"""A school reports mistakes of lists, the centre decides, and the school sees what became of them.

Commands, daemon, keys, feed and guard are real. The files travel as copies.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from filterd.base.clock import SystemClock
from filterd.base.paths import shipped
from filterd.overrides.mistake_answers import FILE
from tests.support.asking import Asker
from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, copy_lists, free_port, serving, write_site
from tests.support.evidence_folder import write_contact
from tests.support.feed_desk import SCAM, names_of, set_up
from tests.support.feed_school import answer
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query
from tests.support.yaml_files import change_yaml, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Outcome
    from tests.support.daemon import Served
    from tests.support.feed_desk import Desk

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("warm_children")]
MISTAKE, NO_MISTAKE = "dai-hoc.example", "lua-dao.example"
REASON, REFUSAL = "Trang của trường đại học", "Trang lừa đảo thật"


class Centre(NamedTuple):
    """A publisher, and a school that follows it and is enrolled."""

    desk: Desk
    served: Served
    port: int

    def school(self, *words: Any) -> Outcome:
        """Run a command at the school."""
        done = call(*words, *self.served.options, "--lang", "en")
        assert done.code == 0, done.err
        return done

    def release(self) -> dict[str, Any]:
        """Build and publish a version, and have the school take it; return the build."""
        built = self.desk.build("--accept", "--json")
        assert built.code == 0, built.err
        assert self.desk.publish().code == 0
        self.school("sync", "--from", self.desk.public, "--now")
        summary: dict[str, Any] = json.loads(built.out)
        return summary

    def is_open(self, name: str) -> bool:
        """Return whether a pupil gets an address."""
        with Asker(("127.0.0.1", self.port), SOURCES["8"]) as asker:
            return bool(int.from_bytes(asker.by_udp(a_query(name, message_id=1))[6:8], "big"))

    def reported(self) -> dict[str, Any]:
        """Return the reports of the school by name."""
        reports = json.loads(self.school("report-mistake", "--list", "--json").out)
        return {report["name"]: report for report in reports}


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    desk = replace(set_up(tmp_path / "desk"), now=SystemClock().wall())
    sources = read_yaml(desk.catalog / "catalog.yaml")["sources"]
    shutil.copytree(shipped("blocklists"), desk.catalog, dirs_exist_ok=True)
    write_contact(desk.catalog)
    change_yaml(desk.catalog / "catalog.yaml", lambda document: document.update(sources=sources))
    desk.give(SCAM, *names_of("scam"), MISTAKE, NO_MISTAKE)
    port = free_port()
    with FakeUpstream(respond=answer) as upstream:
        config = write_site(
            tmp_path / "site",
            port=port,
            upstream=upstream.port,
            more="feed: https://feed.example/\n",
        )
        site = config / "site.yaml"
        named = site.read_text(encoding="utf-8").replace("mẫu}", "mẫu, code: '79000701'}")
        site.write_text(named, encoding="utf-8")
        state = copy_lists(build_lists(config, tmp_path / "lists"), tmp_path / "state")
        with serving(config, state.folder) as served:
            made = Centre(desk, served, port)
            assert desk.init().code == 0
            made.school("feed", "trust", desk.root)
            made.school("fleet", "enrol", "--out", tmp_path / "request.json")
            signed = "--keys", desk.keys, "--out", tmp_path / "enrolment.json"
            made.school("fleet", "sign", tmp_path / "request.json", *signed)
            made.school("fleet", "enrol", "--install", tmp_path / "enrolment.json")
            made.release()
            yield made


def test_a_mistake_goes_to_the_centre_and_its_mending_comes_back(
    centre: Centre, tmp_path: Path
) -> None:
    desk, folder = centre.desk, tmp_path / "post"
    folder.mkdir()
    assert not centre.is_open(MISTAKE)
    for name in (MISTAKE, NO_MISTAKE):
        centre.school("report-mistake", name, "--reason", REASON)
    assert centre.is_open(MISTAKE)  # for 14 days
    centre.school("report-mistake", "--export", folder / "school.json")
    (folder / "broken.json").write_bytes(b'{"payload":1')

    taken = desk.call("mistakes", folder, "--catalog", desk.catalog, "--root", desk.root)
    assert (taken.code, "broken.json is not taken" in taken.err) == (1, True)
    assert "school.json: Trường mẫu (79000701), enrolled by the province; reports: 2" in taken.out
    shown = desk.review()
    assert (shown.code, "1 (enrolled schools: 1, other senders: 0)" in shown.out) == (1, True)
    assert f"feed-scam {MISTAKE}" in shown.out
    assert REASON in shown.out
    accepted = desk.review("--accept-mistake", MISTAKE, "--reason", "Đã xem", "--who", "Bích")
    refused = desk.review("--refuse-mistake", NO_MISTAKE, "--reason", REFUSAL, "--who", "Bích")
    assert (accepted.code, refused.code) == (0, 0)
    assert "Seen at schools" not in desk.review().out

    built = centre.release()
    assert built["mistakes"] == {"left_out": [MISTAKE], "listed": {}, "waiting": 0}
    assert "Bích".encode() not in b"".join(desk.seen().values())
    reports = centre.reported()
    mended, still = reports[MISTAKE], reports[NO_MISTAKE]
    assert (mended["mended"], mended["answer"]["version"]) == (True, 3)
    assert (still["mended"], still["answer"]["reason"]) == (False, REFUSAL)
    text = centre.school("report-mistake", "--list").out
    for words in ("version 3 ", "refused by the", "Trang lừa đảo"):
        assert words in text
    status = " ".join(centre.school("status").out.split())
    assert "2 reported, 1 corrected, 1 refused; last answer in version 3" in status

    centre.school("undo", "1", "--reason", "x")  # what the centre answers opens nothing by itself
    centre.school("undo", "2", "--reason", "x")
    assert (centre.is_open(MISTAKE), centre.is_open(NO_MISTAKE)) == (True, False)

    desk.give(SCAM, *names_of("scam"), MISTAKE, NO_MISTAKE, "new.example")
    centre.release()
    answers = json.loads(desk.seen()[FILE])["answers"]
    assert {one["name"]: one["version"] for one in answers} == {MISTAKE: 3, NO_MISTAKE: 3}
