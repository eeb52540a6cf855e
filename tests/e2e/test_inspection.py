# SPDX-License-Identifier: Apache-2.0
"""A gateway is enrolled and inspected; the record is verified elsewhere, and has no secrets."""

from __future__ import annotations

import base64
import json
import os
import pwd
import re
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.commands import call
from tests.support.daemon import (
    asked,
    build_lists,
    copy_lists,
    free_port,
    serving,
    write_site,
)
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Outcome
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")
TARGET, LOOKED_UP, PERSON = "www.tiktok.com", "tra-cuu.example", "Cô Lan nhờ"
CONTACT = "Cô Hoa, 0912 345 678"
SCHOOL = f"school: {{name: Trường mẫu, code: '79000701', contact: '{CONTACT}'}}\n"
ADDRESSES = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]*:(?:[0-9a-f]*:){2,}[0-9a-f]*"
)


ROOM = """\
  lab: {cidrs: [127.0.63.0/24], grade: 6, timetable: {t2: {ca-ngay: 7}}}
lessons: {ca-ngay: 06:00-18:00}
log: {level: names}
"""


class Inspected(NamedTuple):
    """The record of a gateway, and a folder of an inspector with that and the root."""

    school: Served
    record: Path
    root: Path
    elsewhere: Path

    def verify(self, record: Path, *words: Any) -> Outcome:
        """Verify on a machine without site, state and daemon."""
        nowhere = "--config", self.elsewhere / "none", "--state", self.elsewhere / "none"
        words = words or ("--root", self.root)
        return call("inspect", "verify", record, *words, *nowhere, "--lang", "en")


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """An exception is in force whose reason names a person, and a name was looked up."""
    port, folder = free_port(), tmp_path_factory.mktemp("inspection")
    config = write_site(folder / "site", port=port, more=ROOM)
    site = config / "site.yaml"
    text = site.read_text(encoding="utf-8").replace("school: {name: Trường mẫu}\n", SCHOOL)
    site.write_text(text, encoding="utf-8")
    state = copy_lists(build_lists(config, tmp_path_factory.mktemp("lists")), folder / "state")
    feed, elsewhere = folder / "feed", folder / "elsewhere"
    elsewhere.mkdir()
    with serving(config, state.folder) as school:

        def run(*words: Any) -> None:
            done = call(*words, *school.options, "--lang", "en")
            assert done.code == 0, done.err

        asked(port, a_query(LOOKED_UP))
        run("allow", TARGET, "--grade", "8", "--for", "1h", "--reason", PERSON)
        run("feed", "init", feed)
        run("feed", "trust", feed / "root.json")
        run("fleet", "enrol", "--out", folder / "request.json")
        signed = "--keys", feed / "keys", "--out", folder / "enrolment.json", "--for", "1y"
        run("fleet", "sign", folder / "request.json", *signed)
        run("fleet", "enrol", "--install", folder / "enrolment.json")
        run("inspect", "--out", folder / "record.json")
        for one in (feed / "root.json", folder / "record.json"):
            shutil.copy(one, elsewhere)
        yield Inspected(school, elsewhere / "record.json", elsewhere / "root.json", elsewhere)


def content_of(record: Path) -> str:
    """Return all that a record contains, its enrolment included, as text."""
    content = json.loads(base64.b64decode(json.loads(record.read_bytes())["payload"]))
    content["enrolment"] = json.loads(base64.b64decode(content["enrolment"]["payload"]))
    return json.dumps(content, ensure_ascii=False)


def test_the_record_and_the_root_are_enough_elsewhere(inspected: Inspected) -> None:
    done = inspected.verify(inspected.record)
    assert (done.code, done.err) == (0, ""), done
    assert "The record is genuine" in done.out
    assert "79000701" in done.out
    result = json.loads(inspected.verify(inspected.record, "--root", inspected.root, "--json").out)
    assert result["facts"]["rooms"] == 1
    (exception,) = result["facts"]["exceptions"]
    assert (exception["kind"], exception["audience"]) == ("name", "grade")
    assert exception["roles"] == ["admin"]
    assert result["facts"]["history"]["is_sound"]
    assert result["facts"]["log_levels"]["lower-secondary"] == "names"
    assert "answers" in {one["probe"] for one in result["facts"]["findings"]}


def test_it_has_no_name_that_was_looked_up_no_address_and_no_person(inspected: Inspected) -> None:
    content = content_of(inspected.record)
    user, config = pwd.getpwuid(os.geteuid()).pw_name, str(inspected.school.config)
    for secret in (TARGET, LOOKED_UP, PERSON, "Lan", CONTACT, user, config):
        assert secret not in content
    assert ADDRESSES.findall(content) == []


def test_control_the_history_has_what_the_record_leaves_out(inspected: Inspected) -> None:
    printed = call("history", "list", "--json", *inspected.school.options).out
    assert TARGET in printed
    assert PERSON in printed


def test_making_a_record_is_in_the_history(inspected: Inspected) -> None:
    printed = call("history", "list", "--views", "--json", *inspected.school.options).out
    assert '"inspection"' in printed


def _of_other_signature(octets: bytes) -> bytes:
    other = b"A" if octets[-20:-19] == b"B" else b"B"
    return octets[:-20] + other + octets[-19:]


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        (lambda octets: octets[:-900], 61, "cut short"),
        (lambda octets: octets + octets, 61, "something follows its end"),
        (lambda octets: octets.replace(b'"payload":"e', b'"payload":"f'), 61, "record.json: "),
        (_of_other_signature, 62, "changed after it was signed"),
    ],
)
def test_a_changed_file_is_refused_in_one_line(
    inspected: Inspected, tmp_path: Path, change: Any, code: int, why: str
) -> None:
    record = tmp_path / "record.json"
    record.write_bytes(change(inspected.record.read_bytes()))
    done = inspected.verify(record)
    assert (done.code, len(done.error_lines), done.out) == (code, 1, ""), done
    assert why in done.err


def test_another_publishers_root_is_refused(inspected: Inspected, tmp_path: Path) -> None:
    call("feed", "init", tmp_path / "other")
    done = inspected.verify(inspected.record, "--root", tmp_path / "other" / "root.json")
    assert (done.code, len(done.error_lines)) == (65, 1)
    assert "a key that the root does not name" in done.err


def test_a_record_of_the_past_is_genuine_with_a_warning(inspected: Inspected) -> None:
    late = "--root", inspected.root, "--at", "2040-01-01"
    done = inspected.verify(inspected.record, *late)
    assert done.code == 1
    assert "the enrolment has ended since" in done.out


def test_the_enrolment_of_another_gateway_is_not_installed(
    inspected: Inspected, tmp_path: Path
) -> None:
    feed = inspected.school.config.parent / "feed"
    state = tmp_path / "state"
    state.mkdir()
    of_site = "--config", inspected.school.config, "--state", state, "--lang", "en"
    shutil.copytree(inspected.school.state.folder / "feed", state / "feed")
    assert call("fleet", "enrol", "--out", tmp_path / "request.json", *of_site).code == 0
    enrolment = feed.parent / "enrolment.json"
    done = call("fleet", "enrol", "--install", enrolment, *of_site)
    assert (done.code, len(done.error_lines)) == (63, 1), done
    assert "the enrolment is of another gateway" in done.err
    assert not (state / "enrolment.filterd").exists()
