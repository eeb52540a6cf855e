# SPDX-License-Identifier: Apache-2.0
"""``filterd fleet``: what it refuses; the whole is in ``tests/e2e/test_inspection.py``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.enrolment import device_key, read_enrolment, request
from filterd.feed.signed.trust import read_root
from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.inspected import enrolled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Return a request, beside the keys of a publisher."""
    assert call("feed", "init", tmp_path / "feed").code == 0
    school = enrolled(tmp_path)
    path = tmp_path / "request.json"
    path.write_bytes(request(school.gateway, device_key(school.state.device_key), 1.8e9))
    return path


def sign(asked: Path, *more: str) -> tuple[int, str]:
    """Sign the request; return exit code and error."""
    folder = asked.parent
    files = "--keys", folder / "feed" / "keys", "--out", folder / "enrolment.json"
    done = call("fleet", "sign", asked, *files, *more, "--lang", "en")
    assert len(done.error_lines) <= 1
    return done.code, done.err


def test_an_enrolment_holds_two_years_or_as_long_as_is_asked(asked: Path) -> None:
    root = read_root((asked.parent / "feed" / "root.json").read_bytes())
    days = []
    for more in ((), ("--for", "1y"), ("--for", "90 days")):
        assert sign(asked, *more) == (0, "")
        made = read_enrolment((asked.parent / "enrolment.json").read_bytes(), root)
        days.append((made.ends - made.begins) // 86_400)
    assert days == [730, 365, 90]


@pytest.mark.parametrize("text", ["11y", "0y", "2h", "x"])
def test_a_length_that_is_none_is_refused(asked: Path, text: str) -> None:
    code, error = sign(asked, "--for", text)
    assert code == 2
    assert text in error


def test_a_request_that_was_changed_is_not_signed(asked: Path) -> None:
    asked.write_bytes(asked.read_bytes().replace(b'"sig":"', b'"sig":"A'))
    code, error = sign(asked)
    assert (code, str(asked) in error) == (61, True)
    assert not (asked.parent / "enrolment.json").exists()


def test_without_the_key_fleet_nothing_is_signed(asked: Path) -> None:
    (asked.parent / "feed" / "keys" / "fleet" / "fleet.pem").unlink()
    code, error = sign(asked)
    assert code == 2
    assert "the key of the role fleet is missing" in error


def test_a_school_without_a_code_asks_for_nothing(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=5353)
    of_site = "--config", config, "--state", tmp_path / "state", "--lang", "en"
    done = call("fleet", "enrol", *of_site)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "site.yaml: the school has no code (add the ministry's code there" in done.err


def test_json_has_the_gateway(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=5353)
    site = config / "site.yaml"
    site.write_text(site.read_text(encoding="utf-8").replace("mẫu}", "mẫu, code: '7'}"), "utf-8")
    of_site = "--config", config, "--state", tmp_path / "state", "--lang", "en"
    out = tmp_path / "request.json"
    printed = json.loads(call("fleet", "enrol", "--out", out, "--json", *of_site).out)
    assert (printed["code"], len(printed["device"]), printed["ends"]) == ("7", 64, None)
    assert call("fleet", "enrol", *of_site).out == out.read_text(encoding="utf-8")
