# SPDX-License-Identifier: Apache-2.0
"""The dashboard's certificate is made, shown and replaced by commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from filterd.appliance.setup.web_certificate import CHAIN, KEY
from filterd.base.certificate_facts import facts_in
from tests.support.commands import call
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path

ZONE = "local_zones: [{name: truong.lan, records: ['@ A 192.0.2.1']}]\n"


def _places(folder: Path) -> list[str]:
    (folder / "site.yaml").write_text(f"school: {{name: Trường mẫu}}\nlanguage: en\n{ZONE}")
    return ["--config", str(folder), "--state", str(folder)]


def test_one_is_made_for_the_names_of_the_box_and_shown(tmp_path: Path) -> None:
    command("ip")
    places = _places(tmp_path)
    missing = call("cert", "show", *places)
    assert (missing.code, "cannot be read" in missing.err) == (2, True)
    made = call("cert", "make", "--name", "Loc.Truong.vn", *places, "--json")
    assert made.code == 0, made.err
    printed = json.loads(made.out)
    assert {"filterd", "filterd.truong.lan", "loc.truong.vn"} <= set(printed["names"])
    assert {"127.0.0.1", "::1"} <= set(printed["addresses"])
    shown = call("cert", "show", *places)
    assert printed["fingerprint"] in " ".join(shown.out.split())
    assert "self-made" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_another_one_is_installed_or_refused_and_then_the_old_one_holds(tmp_path: Path) -> None:
    command("ip")
    here, there = tmp_path / "here", tmp_path / "there"
    for one in (here, there):
        one.mkdir()
        assert call("cert", "make", *_places(one)).code == 0
    other = there / "web"
    (other / "of-another").write_bytes((here / "web" / KEY).read_bytes())
    (other / "of-another").chmod(0o600)
    before = facts_in(here / "web")
    refused = call("cert", "install", other / CHAIN, other / "of-another", *_places(here))
    assert (refused.code, "the key is not that of the certificate" in refused.err) == (2, True)
    assert facts_in(here / "web") == before
    (other / KEY).chmod(0o600)  # the service reads that of its own box; others must not
    done = call("cert", "install", other / CHAIN, other / KEY, *_places(here))
    assert done.code == 0, done.err
    assert facts_in(here / "web") == facts_in(other) != before
    assert (here / "web" / KEY).stat().st_mode & 0o777 == 0o640
