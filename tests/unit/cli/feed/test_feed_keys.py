# SPDX-License-Identifier: Apache-2.0
"""Keys are made once, guarded, and exchanged one by one; schools follow by themselves."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
import typer

from filterd.base.errors import GuardError
from filterd.cli.feed import feed_keys
from filterd.cli.help_pages import metavar_in
from filterd.feed.guard.judgement import Severity, found
from filterd.feed.held_versions import FILE
from filterd.publish import hold_release
from filterd.publish.keys import KeyFolder
from filterd.publish.release import publishing
from filterd.texts.i18n import say
from tests.support.feed_desk import PASSPHRASE, files_of, widest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Outcome
    from tests.support.feed_desk import Desk

ROLES = ("root", "targets", "snapshot", "timestamp")
ENCRYPTED = b"BEGIN ENCRYPTED PRIVATE KEY"


def _pem(desk: Desk, role: str) -> Path:
    where = {
        "root": "offline/root-1/root-1.pem",
        "orders": "orders/orders.pem",
        "fleet": "fleet/fleet.pem",
    }
    return desk.keys / where.get(role, f"online/{role}.pem")


def test_keys_and_an_empty_publication_are_made(new_desk: Desk) -> None:
    done = new_desk.init()
    assert (done.code, done.err, new_desk.seen()) == (0, "", {})
    keys = sorted(new_desk.keys.rglob("*.pem"))
    assert len(keys) == 9
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert {stat.S_IMODE(key.parent.stat().st_mode) for key in keys} == {0o700}


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("move it to a USB stick in safe 2, then delete it here", "for every school")),
        ("vi", ("cất vào két số 2, rồi xóa ở đây", "giao cho mọi trường", "Dấu vân tay")),
    ],
)
def test_it_explains_which_file_to_carry_where(
    new_desk: Desk, lang: str, words: tuple[str, ...]
) -> None:
    done = new_desk.init(lang=lang)
    assert [word for word in words if word not in done.out] == []
    assert widest(done) <= 80


def test_json_has_where_everything_is(new_desk: Desk) -> None:
    printed = json.loads(new_desk.init("--json").out)
    assert printed["public"] == str(new_desk.public)
    assert printed["offline"] == [str(new_desk.keys / f"offline/root-{n}") for n in (1, 2, 3)]
    assert len(printed["fingerprint"].replace(" ", "")) == 64


def test_no_key_is_ever_written_over(desk: Desk) -> None:
    shutil.rmtree(desk.public)
    before = files_of(desk.folder)
    done = desk.init()
    assert (done.code, len(done.error_lines), files_of(desk.folder)) == (2, 1, before)
    assert "there already is a key (choose an empty folder" in done.err


def test_a_publication_without_its_keys_is_not_begun_again(desk: Desk) -> None:
    shutil.rmtree(desk.keys)
    before = files_of(desk.folder)
    done = desk.init()
    assert (done.code, files_of(desk.folder)) == (20, before)
    assert "there already is a publication" in done.err


def test_keys_may_have_a_passphrase(new_desk: Desk) -> None:
    secret = {feed_keys.PASSPHRASE_VARIABLE: PASSPHRASE}
    assert new_desk.init("--passphrase", **secret).code == 0
    assert all(ENCRYPTED in one.read_bytes() for one in new_desk.keys.rglob("*.pem"))
    new_desk.build()
    assert new_desk.publish(**secret).code == 0


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("another one", "this is not a private key, or the passphrase is wrong"),
        (
            None,
            "no terminal to ask for it (set the environment variable FILTERD_FEED_PASSPHRASE)",
        ),
    ],
)
def test_without_the_passphrase_nothing_is_published(
    new_desk: Desk, secret: str | None, why: str
) -> None:
    new_desk.init("--passphrase", **{feed_keys.PASSPHRASE_VARIABLE: PASSPHRASE})
    new_desk.build()
    before = files_of(new_desk.public)
    given = {} if secret is None else {feed_keys.PASSPHRASE_VARIABLE: secret}
    done = new_desk.publish(**given)
    assert (done.code, len(done.error_lines), files_of(new_desk.public)) == (2, 1, before)
    assert why in done.err


def test_a_short_passphrase_is_refused_and_no_key_is_made(new_desk: Desk) -> None:
    done = new_desk.init("--passphrase", **{feed_keys.PASSPHRASE_VARIABLE: "short"})
    assert (done.code, done.error_lines) == (
        2,
        ["filterd: the passphrase has 5 characters (at least 8 are needed)"],
    )
    assert not new_desk.keys.exists()


def test_at_a_terminal_a_passphrase_is_asked_for_twice(
    new_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()

    def prompt(
        what: str, *, hide_input: bool, confirmation_prompt: object, err: bool, **_: object
    ) -> str:
        asked.append((what, hide_input, bool(confirmation_prompt), err))
        return PASSPHRASE

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert new_desk.init("--passphrase").code == 0
    assert asked == [("Passphrase of the keys", True, True, True)]
    new_desk.build()
    assert new_desk.publish(lang="vi").code == 0
    assert asked[1:] == [("Cụm mật khẩu của khóa", True, False, True)]


def test_the_error_without_a_passphrase_names_another_way(
    new_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def aborted(*_: object, **_how: object) -> str:
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", aborted)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    done = new_desk.init("--passphrase")
    assert (done.code, done.error_lines) == (
        2,
        ["filterd: no passphrase was given (set the environment variable FILTERD_FEED_PASSPHRASE)"],
    )
    assert not new_desk.keys.exists()


@pytest.mark.parametrize(
    "role",
    [
        one if one in ("root", "timestamp") else pytest.param(one, marks=pytest.mark.long)
        for one in (*ROLES, "fleet")
    ],
)
def test_a_key_is_exchanged_and_schools_follow(desk: Desk, role: str) -> None:
    first, old, files = desk.root.read_bytes(), _pem(desk, role).read_bytes(), desk.seen()
    done = desk.call("rotate-key", desk.public, role)
    assert (done.code, done.err) == (0, "")
    assert f"The key of the role {role} has been replaced" in done.out
    assert _pem(desk, role).read_bytes() != old
    assert desk.seen(first) == desk.seen() == files
    assert desk.root.read_bytes() != first
    assert desk.publish().code == 0


def test_json_has_the_new_root(desk: Desk) -> None:
    printed = json.loads(desk.call("rotate-key", desk.public, "snapshot", "--json").out)
    assert (printed["role"], printed["root_version"]) == ("snapshot", 2)
    assert printed["key"] == str(_pem(desk, "snapshot"))
    assert printed["root"] == str(desk.root)


def test_root_keys_come_on_their_media(desk: Desk, tmp_path: Path) -> None:
    media = [tmp_path / f"stick-{number}" for number in (1, 2, 3)]
    for number, one in enumerate(media, 1):
        shutil.move(desk.keys / f"offline/root-{number}", one)
    before = files_of(desk.folder)
    done = desk.call("rotate-key", desk.public, "targets")
    assert (done.code, files_of(desk.folder)) == (2, before)
    assert "the key of the role root is missing (insert the medium" in done.err
    brought = [word for one in media[:2] for word in ("--root-key", next(one.glob("*.pem")))]
    assert desk.call("rotate-key", desk.public, "targets", *brought).code == 0


def test_one_root_key_is_too_few(desk: Desk) -> None:
    for number in (2, 3):
        shutil.rmtree(desk.keys / f"offline/root-{number}")
    done = desk.call("rotate-key", desk.public, "timestamp")
    assert (done.code, done.error_lines) == (
        20,
        ["filterd: too few of the keys of the role root have signed"],
    )
    assert not (desk.public / "metadata" / "2.root.json").exists()


@pytest.mark.parametrize("number", [1, 3])
def test_a_root_key_that_is_lost_is_exchanged_by_the_other_two(desk: Desk, number: int) -> None:
    first = desk.root.read_bytes()
    shutil.rmtree(desk.keys / f"offline/root-{number}")
    done = desk.call("rotate-key", desk.public, "root", "--number", str(number))
    assert (done.code, done.err) == (0, "")
    assert (desk.keys / f"offline/root-{number}/root-{number}.pem").exists()
    assert desk.seen(first) == desk.seen()


def test_a_lost_key_of_a_machine_is_exchanged_without_it(desk: Desk) -> None:
    first = desk.root.read_bytes()
    _pem(desk, "timestamp").unlink()
    done = desk.call("rotate-key", desk.public, "timestamp")
    assert (done.code, done.err) == (0, "")
    assert desk.seen(first)
    assert desk.publish().code == 0


def test_a_rotation_that_was_interrupted_goes_on_with_the_same_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(KeyFolder, "promote", killed)
        assert desk.call("rotate-key", desk.public, "snapshot").code != 0
    (waiting,) = desk.keys.rglob("*.next.pem")
    new = waiting.read_bytes()
    assert desk.call("rotate-key", desk.public, "snapshot").code == 0
    assert _pem(desk, "snapshot").read_bytes() == new
    assert not list(desk.keys.rglob("*.next.pem"))
    assert desk.publish().code == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_the_key_of_orders_is_exchanged_with_what_it_signed(
    desk: Desk, tmp_path: Path, *, is_first: bool
) -> None:
    desk.order("12/QĐ-STTTT", "ordered.example")
    parcel = tmp_path / "parcel"
    if not is_first:
        desk.sign(parcel)
        assert desk.publish("--orders", parcel).code == 0
    assert desk.sign(parcel, "--new-key").code == 0
    done = desk.call("rotate-key", desk.public, "orders", "--parcel", parcel)
    assert (done.code, done.err) == (0, "")
    assert desk.seen()["orders/1.txt"] == b"ordered.example\n"


def test_what_a_new_key_of_orders_has_signed_is_not_simply_published(
    desk: Desk, tmp_path: Path
) -> None:
    desk.order("12/QĐ-STTTT", "ordered.example")
    desk.sign(tmp_path / "parcel", "--new-key")
    done = desk.publish("--orders", tmp_path / "parcel")
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert "`filterd feed rotate-key REPO orders`" in done.err
    assert "orders/1.txt" not in desk.seen()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (
            ("mirror",),
            2,
            "'mirror' is not a role (known: root, targets, snapshot, timestamp, orders, program,"
            " fleet)",
        ),
        (("orders",), 2, "there: filterd feed sign --new-key; here: --parcel PARCEL"),
        (("orders", "--parcel", "nowhere"), 2, "nowhere/orders.json: cannot be read"),
        (("root", "--number", "4"), 2, "--number"),
        (("targets", "--root-key", "nowhere.pem"), 2, "nowhere.pem: cannot be read"),
        (("targets", "--keys", "nowhere"), 2, "nowhere/offline/root-1/root-1.pem: the key of the"),
    ],
)
def test_what_cannot_be_exchanged_is_reported_in_one_line_and_no_key_is_made(
    desk: Desk, words: tuple[str, ...], code: int, why: str
) -> None:
    before = files_of(desk.folder)
    done = desk.call("rotate-key", desk.public, *words)
    assert (done.code, len(done.error_lines)) == (code, 1), done
    assert why in done.err
    assert files_of(desk.folder) == before


def test_a_folder_that_nothing_is_published_in_has_no_keys_to_exchange(
    new_desk: Desk, tmp_path: Path
) -> None:
    done = new_desk.call("rotate-key", tmp_path / "nowhere", "targets")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "timestamp.json: cannot be read: No such file" in done.err


def test_no_key_is_exchanged_during_a_publication(desk: Desk) -> None:
    with publishing(desk.public):
        done = desk.call("rotate-key", desk.public, "targets")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "another process is publishing; wait until it has ended" in done.err
    assert not list(desk.keys.rglob("*.next.pem"))


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
    assert metavar_in(missing, "vi" if lang == "vi" else "en") in done.err


@pytest.mark.parametrize(
    "words", ["sign office parcel --keys keys --after -1", "rotate-key public root --number 0"]
)
def test_a_number_out_of_its_range_is_refused(new_desk: Desk, words: str) -> None:
    done = new_desk.call(*words.split())
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert words.split()[-2] in done.err


WHY = say("{table}: {count} of {had} entries would go or change: {names}",
          table="pins", count=1, had=82, names="old.example")  # fmt: skip
LOST = found("tables", Severity.HELD, WHY, ["old.example"], ["-pins old.example"])


@pytest.fixture
def holding(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A publisher of a version that schools hold."""
    monkeypatch.setattr(hold_release, "_judged", lambda *_: [LOST])
    return desk


def release(desk: Desk, *words: str | Path, lang: str = "en") -> Outcome:
    return desk.call("release-hold", desk.public, *words, lang=lang)


def signed(desk: Desk) -> Path:
    return desk.public / "metadata" / FILE


def test_what_is_held_is_released_once_for_all_reasons(holding: Desk) -> None:
    done = release(holding, "--reason", "retired")
    assert (done.code, done.err) == (0, "")
    assert "pins: 1 of 82 entries" in done.out
    assert "Version 2 is released" in done.out
    [one] = json.loads(signed(holding).read_bytes())["signed"]["releases"]
    assert one["findings"] == {"tables": ["-pins old.example"]}
    assert (one["version"], one["reason"]) == (2, "retired")


def test_it_is_worded_in_vietnamese(holding: Desk) -> None:
    done = release(holding, "--reason", "x", lang="vi")
    assert "Đã cho phép áp dụng phiên bản 2" in done.out
    assert "sẽ mất hoặc bị thay đổi" in done.out


def test_looking_signs_nothing(holding: Desk) -> None:
    done = release(holding, "--look", "--json")
    assert done.code == 0
    printed = json.loads(done.out)
    assert (printed["released"], [one["kind"] for one in printed["findings"]]) == (
        False,
        ["tables"],
    )
    assert not signed(holding).exists()


def test_without_a_reason_or_two_keys_nothing_is_signed(holding: Desk) -> None:
    assert release(holding).code == 2
    key = holding.keys / "offline" / "root-2" / "root-2.pem"
    done = release(holding, "--reason", "x", "--root-key", key)
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert not signed(holding).exists()


def test_where_nothing_is_held_there_is_nothing_to_sign(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_release, "_judged", lambda *_: [])
    done = release(desk, "--reason", "x")
    assert done.code == 1
    assert "Nothing in version 2" in done.out
    assert not signed(desk).exists()


def test_what_schools_refuse_no_key_releases(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise GuardError(say("nothing was found"))

    monkeypatch.setattr(hold_release, "_judged", refuse)
    done = release(desk, "--reason", "x")
    assert (done.code, signed(desk).exists()) == (50, False)


def test_a_release_outlasts_the_publications_after_it(holding: Desk) -> None:
    release(holding, "--reason", "one")
    for _ in range(10):
        assert holding.publish().code == 0
    assert signed(holding).exists()
    release(holding, "--reason", "two")
    data = json.loads(signed(holding).read_bytes())["signed"]
    assert ([one["reason"] for one in data["releases"]], data["version"]) == (["one", "two"], 2)
