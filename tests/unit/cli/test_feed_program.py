# SPDX-License-Identifier: Apache-2.0
"""Packages of filterd are signed, carried to the publisher and published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.errors import DigestError
from tests.support.feed_desk import files_of, widest
from tests.support.packages_offered import a_package

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Outcome
    from tests.support.feed_desk import Desk


def _sign(desk: Desk, *words: str | Path, **how: str) -> Outcome:
    where = ("--parcel", desk.folder / "parcel", "--keys", desk.keys)
    return desk.call("sign-program", *where, *words, **how)


def _publish(desk: Desk) -> Outcome:
    return desk.call("publish", desk.public, "--program", desk.folder / "parcel")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Signed packages of filterd 0.2.0, version 2", "amd64", "carry")),
        ("vi", ("Đã ký các gói cài đặt filterd 0.2.0", "Kiến trúc máy", "chuyển")),
    ],
)
def test_it_says_what_was_signed(
    new_desk: Desk, tmp_path: Path, lang: str, words: tuple[str, ...]
) -> None:
    new_desk.init()
    done = _sign(new_desk, a_package(tmp_path), lang=lang)
    assert (done.code, done.err) == (0, "")
    assert [one for one in words if one not in done.out] == []
    assert widest(done) <= 80


def test_lists_are_the_same_beside_packages(desk: Desk, tmp_path: Path) -> None:
    before = desk.seen()
    assert _sign(desk, a_package(tmp_path)).code == 0
    done = _publish(desk)
    assert (done.code, done.err) == (0, "")
    assert "filterd-0.2.0-debian13-amd64.deb" in done.out
    assert desk.seen() == before
    verified = json.loads(desk.call("verify", desk.public, "--json").out)
    assert verified["packages"] == ["program/filterd-0.2.0-debian13-amd64.deb"]
    assert "program" in verified["expiries"]
    assert desk.publish().code == 0  # the next lists leave the packages as they are
    assert "filterd-0.2.0-debian13-amd64.deb" in desk.call("verify", desk.public).out


def test_lists_and_packages_are_published_together(desk: Desk, tmp_path: Path) -> None:
    _sign(desk, a_package(tmp_path))
    desk.order("12/QĐ-STTTT", "ordered.example")
    desk.sign(tmp_path / "orders")
    done = desk.publish(
        "--orders", tmp_path / "orders", "--program", desk.folder / "parcel", lang="en"
    )
    assert (done.code, done.err) == (0, "")
    assert desk.seen()["orders/1.txt"] == b"ordered.example\n"


def test_verify_finds_a_package_that_was_replaced(desk: Desk, tmp_path: Path) -> None:
    _sign(desk, a_package(tmp_path))
    _publish(desk)
    [stored] = (desk.public / "targets/program").iterdir()
    stored.write_bytes(bytes(stored.stat().st_size))
    assert desk.call("verify", desk.public).code == DigestError.exit_code


def test_packages_stay_as_long_as_they_are_offered(desk: Desk, tmp_path: Path) -> None:
    stored = desk.public / "targets/program"
    _sign(desk, a_package(tmp_path))
    for _ in range(10):
        assert _publish(desk).code in (0, 20)
        assert desk.publish().code == 0
    assert len(files_of(stored)) == 1
    assert _sign(desk, "--withdraw").code == 0
    assert _publish(desk).code == 0
    for _ in range(10):
        assert desk.publish().code == 0
    assert files_of(stored) == {}


@pytest.mark.parametrize("words", [(), ("a.deb", "--withdraw")])
def test_packages_or_a_withdrawal_must_be_given(desk: Desk, words: tuple[str, ...]) -> None:
    done = _sign(desk, *words)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "give the packages, or --withdraw" in done.err


def test_a_new_key_counts_once_two_root_keys_have_named_it(desk: Desk, tmp_path: Path) -> None:
    before = json.loads(desk.call("verify", desk.public, "--json").out)
    assert _sign(desk, a_package(tmp_path), "--new-key").code == 0
    done = _publish(desk)
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert "`filterd feed rotate-key REPO program`" in done.err
    parcel = ("--parcel", desk.folder / "parcel")
    done = desk.call("rotate-key", desk.public, "program", *parcel)
    assert (done.code, done.err) == (0, "")
    verified = json.loads(desk.call("verify", desk.public, "--json").out)
    assert verified["packages"] == ["program/filterd-0.2.0-debian13-amd64.deb"]
    assert verified["fingerprint"] != before["fingerprint"]  # new schools get the new root


def test_one_root_key_names_no_key(desk: Desk, tmp_path: Path) -> None:
    _sign(desk, a_package(tmp_path), "--new-key")
    before = files_of(desk.public)
    parcel = ("--parcel", desk.folder / "parcel")
    one = desk.keys / "offline/root-1/root-1.pem"
    done = desk.call("rotate-key", desk.public, "program", *parcel, "--root-key", one)
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert "too few of the keys of the role root have signed" in done.err
    metadata = {name for name in files_of(desk.public) if name.startswith("metadata/")}
    assert metadata == {name for name in before if name.startswith("metadata/")}
