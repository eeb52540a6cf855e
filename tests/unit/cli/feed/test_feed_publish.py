# SPDX-License-Identifier: Apache-2.0
"""``filterd feed publish``, ``sign``, ``sign-program`` and ``verify``, as a publisher uses them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import DigestError
from filterd.publish.release import publishing
from filterd.texts.counted import size
from tests.support.feed_desk import SCAM, files_of, names_of, widest
from tests.support.packages_offered import a_package
from tests.support.publisher import ROLES, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.commands import Outcome
    from tests.support.feed_desk import Desk


DAY_S = 86_400.0
ORDER = "12/QĐ-STTTT"


def _change(desk: Desk) -> None:
    desk.give(SCAM, *names_of("scam", beyond=41))
    assert desk.build().code == 0


def _old(desk: Desk, parcel: Path) -> None:
    """Sign an order and publish it."""
    desk.order(ORDER, "ordered.example")
    assert desk.sign(parcel).code == 0
    assert desk.publish("--orders", parcel).code == 0


def test_schools_have_what_was_built(desk: Desk) -> None:
    _change(desk)
    done = desk.publish()
    assert (done.code, done.err) == (0, "")
    assert desk.seen() == files_of(desk.version)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Version 3 is published (before: 2)", "2 of 11 have changed", "Tonight, each")),
        ("vi", ("Đã phát hành phiên bản 3 (trước đó: 2)", "2 trên 11 có thay đổi", "Đêm nay")),
    ],
)
def test_it_reports_what_the_night_costs(desk: Desk, lang: str, words: tuple[str, ...]) -> None:
    _change(desk)
    done = desk.publish(lang=lang)
    assert [word for word in words if word not in done.out] == []
    assert widest(done) <= 80


def test_json_has_what_it_costs_in_octets(desk: Desk) -> None:
    _change(desk)
    printed = json.loads(desk.publish("--json").out)
    assert (printed["version"], printed["before"], printed["urgent"], printed["orders"]) == (
        3,
        2,
        False,
        [],
    )
    assert 0 < printed["octets"]["tonight"] < printed["octets"]["full"]
    assert printed["octets"]["changed"] == 2  # the list, and what of it each source has
    assert set(printed["expiries"]) == set(ROLES)


def test_an_urgent_version_is_marked_as_such(desk: Desk) -> None:
    _change(desk)
    assert "schools take it within ten minutes" in desk.publish("--urgent").out
    seen = json.loads(desk.call("verify", desk.public, "--json").out)
    assert seen["urgent"] == 3


def test_what_is_published_is_signed_for_another_term(desk: Desk, evening: FakeClock) -> None:
    before = desk.seen()
    evening.advance(20 * DAY_S)
    done = desk.call("publish", desk.public)
    assert done.out == "Version 3: the published files are signed for another term.\n"
    assert desk.seen() == before
    printed = json.loads(desk.call("publish", desk.public, "--json").out)
    assert (printed["version"], printed["renewed"]) == (4, True)
    assert printed["expiries"]["timestamp"] == evening.wall() + 30 * DAY_S


def test_what_is_published_becomes_urgent_afterwards(desk: Desk) -> None:
    _change(desk)
    desk.publish()
    done = desk.call("publish", desk.public, "--urgent")
    assert (done.code, done.err) == (0, "")
    assert "schools take it within ten minutes" in done.out
    assert json.loads(desk.call("verify", desk.public, "--json").out)["urgent"] == 4


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_it_warns_of_a_role_that_must_soon_sign_anew(
    desk: Desk, evening: FakeClock, lang: str
) -> None:
    evening.advance(320 * DAY_S)
    done = desk.publish(lang=lang)
    assert done.code == 0
    (line,) = done.error_lines
    assert {"vi": "vai trò orders còn hiệu lực 45 ngày", "en": "orders is valid for 45 days more"}[
        lang
    ] in line
    assert "feed publish --orders" in line


def test_orders_are_signed_and_published(desk: Desk, tmp_path: Path) -> None:
    desk.order(ORDER, "ordered.example", "another.example")
    signed = desk.sign(tmp_path / "parcel")
    assert (signed.code, signed.err) == (0, "")
    assert "Signed orders, version 2: 2 names" in signed.out
    assert f"Signed: carry {tmp_path / 'parcel'} to the publisher\n" in signed.out
    assert widest(signed) <= 80
    done = desk.publish("--orders", tmp_path / "parcel")
    assert (done.code, done.err) == (0, "")
    assert desk.seen()["orders/1.txt"] == b"ordered.example\nanother.example\n"


def test_json_has_what_is_signed(desk: Desk, tmp_path: Path) -> None:
    desk.order("1/QĐ", "ended.example", expiry="2027-01-14")
    desk.order(ORDER, "ordered.example")
    printed = json.loads(desk.sign(tmp_path / "parcel", "--json").out)
    assert (printed["version"], printed["names"]) == (2, 1)
    assert [one["number"] for one in printed["orders"]] == [ORDER]
    assert [one["number"] for one in printed["expired"]] == ["1/QĐ"]


def test_an_order_that_has_expired_is_left_out_and_reported(desk: Desk, tmp_path: Path) -> None:
    desk.order("1/QĐ", "ended.example", expiry="2027-01-14")
    done = desk.sign(tmp_path / "parcel", lang="vi")
    assert (done.code, done.error_lines) == (
        0,
        ["cảnh báo: lệnh 1/QĐ đã hết hạn ngày 2027-01-14; không đưa vào"],
    )
    desk.publish("--orders", tmp_path / "parcel")
    assert "orders/1.txt" not in desk.seen()


def test_orders_alone_are_published_without_a_build(desk: Desk, tmp_path: Path) -> None:
    before = desk.seen()
    shutil.rmtree(desk.version)
    desk.order(ORDER, "ordered.example")
    desk.sign(tmp_path / "parcel")
    done = desk.call("publish", desk.public, "--orders", tmp_path / "parcel", "--urgent")
    assert (done.code, done.err) == (0, "")
    after = desk.seen()
    assert {path: after[path] for path in before} == before
    assert "orders/1.txt" in after


def test_orders_stay_where_a_later_version_brings_none(desk: Desk, tmp_path: Path) -> None:
    _old(desk, tmp_path / "parcel")
    _change(desk)
    assert desk.publish().code == 0
    assert "orders/1.txt" in desk.seen()


def test_an_order_is_lifted_by_signing_without_it(desk: Desk, tmp_path: Path) -> None:
    _old(desk, tmp_path / "parcel")
    shutil.rmtree(desk.office)
    desk.office.mkdir()
    (desk.office / "orders.yaml").write_text("orders: []\n")
    assert desk.sign(tmp_path / "parcel").code == 0
    desk.publish("--orders", tmp_path / "parcel")
    assert "orders/1.txt" not in desk.seen()


def test_it_warns_of_orders_that_end_or_have_ended(
    desk: Desk, tmp_path: Path, evening: FakeClock
) -> None:
    desk.order(ORDER, "ordered.example", expiry="2027-01-24")
    assert "warning: order 12/QĐ-STTTT ends on 2027-01-24" in desk.sign(tmp_path / "parcel").err
    assert "ends on 2027-01-24" in desk.publish("--orders", tmp_path / "parcel").err
    evening.advance(12 * DAY_S)
    assert "ended on 2027-01-24 and still blocks: feed sign" in desk.publish().err


def test_a_parcel_that_was_published_is_not_published_twice(desk: Desk, tmp_path: Path) -> None:
    _old(desk, tmp_path / "parcel")
    done = desk.publish("--orders", tmp_path / "parcel")
    assert (done.code, len(done.error_lines)) == (20, 1)
    assert "sign again with `--after 2`" in done.err
    shutil.rmtree(tmp_path / "parcel")
    assert desk.sign(tmp_path / "parcel", "--after", "2").code == 0
    assert desk.publish("--orders", tmp_path / "parcel").code == 0


@pytest.mark.parametrize(
    ("names", "values", "why"),
    [
        (["no name"], {}, "orders/1.txt, line 1: 'no name'"),
        ([], {}, "orders/1.txt: has no names; write one a line, or remove the order"),
        (["a.example"], {"date": "2027-01-16"}, "its date, 2027-01-16, is in the future"),
        (["a.example"], {"expiry": "2026-01-01"}, "the order ends before it begins"),
        (["a.example"], {"issuer": ""}, "a text of 1 to 200 characters is expected"),
    ],
)
def test_an_order_that_is_wrong_is_not_signed(
    desk: Desk, tmp_path: Path, names: list[str], values: dict[str, str], why: str
) -> None:
    desk.order(ORDER, *names, **values)
    done = desk.sign(tmp_path / "parcel")
    assert (done.code, len(done.error_lines)) in {(2, 1), (20, 1)}, done
    assert why in done.err
    assert not (tmp_path / "parcel").exists()


def test_a_new_key_of_orders_waits_until_something_is_signed_by_it(
    desk: Desk, tmp_path: Path
) -> None:
    key = (desk.keys / "orders" / "orders.pem").read_bytes()
    desk.order(ORDER)
    assert desk.sign(tmp_path / "parcel", "--new-key").code == 2
    assert (desk.keys / "orders" / "orders.pem").read_bytes() == key


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--version-folder", "nowhere"), "nowhere: cannot be read: No such file"),
        (("--orders", "nowhere"), "nowhere/orders.json: cannot be read: No such file"),
        (("--keys", "nowhere"), "nowhere/online/targets.pem: the key of the role targets"),
    ],
)
def test_what_cannot_be_published_is_reported_in_one_line_and_changes_nothing(
    desk: Desk, words: tuple[str, ...], why: str
) -> None:
    before = files_of(desk.folder)
    done = desk.publish(*words)
    assert (done.code, len(done.error_lines)) == (2, 1), done
    assert why in done.err
    assert files_of(desk.folder) == before


def test_a_folder_without_a_publication_is_reported(desk: Desk, tmp_path: Path) -> None:
    words = ("--version-folder", desk.version, "--keys", desk.keys)
    done = desk.call("publish", tmp_path / "nowhere", *words)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "nowhere/metadata/timestamp.json: cannot be read: No such file" in done.err
    assert not (tmp_path / "nowhere").exists()


def test_a_key_that_others_can_read_signs_nothing(desk: Desk) -> None:
    (desk.keys / "online" / "snapshot.pem").chmod(0o644)
    before = files_of(desk.public)
    done = desk.publish(lang="vi")
    assert (done.code, len(done.error_lines), files_of(desk.public)) == (2, 1, before)
    assert "người khác đọc được khóa bí mật này" in done.err


def test_two_do_not_publish_at_once(desk: Desk) -> None:
    before = files_of(desk.public)
    with publishing(desk.public):
        done, renewed = desk.publish(), desk.call("publish", desk.public)
    assert (done.code, renewed.code, files_of(desk.public)) == (2, 2, before)
    assert "another process is publishing; wait until it has ended" in done.err


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (0, "0 B"),
        (9_999, "9\u202f999 B"),
        (10_000, "10 kB"),
        (9_999_499, "9\u202f999 kB"),
        (12_345_678, "12 MB"),
    ],
)
def test_lengths_are_reported_as_a_data_plan_counts(octets: int, sentence: str) -> None:
    assert size(octets) == sentence


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
def test_it_reports_what_was_signed(
    new_desk: Desk, tmp_path: Path, lang: str, words: tuple[str, ...]
) -> None:
    new_desk.init()
    done = _sign(new_desk, a_package(tmp_path), lang=lang)
    assert (done.code, done.err) == (0, "")
    assert [word for word in words if word not in done.out] == []
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


def test_packages_stay_as_long_as_they_are_offered(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.publish.release.KEPT_DELTAS", 1)
    stored = desk.public / "targets/program"
    _sign(desk, a_package(tmp_path))
    for _ in range(4):
        assert _publish(desk).code in (0, 20)
        assert desk.publish().code == 0
    assert len(files_of(stored)) == 1
    assert _sign(desk, "--withdraw").code == 0
    assert _publish(desk).code == 0
    for _ in range(4):
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


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ("Version 2: all files match their signatures", "Fingerprint", "15/01/2028", "Days"),
        ),
        ("vi", ("Phiên bản 2: đúng như đã ký", "Dấu vân tay", "15/01/2028", "Số ngày")),
    ],
)
def test_what_is_good_is_reported_with_the_term_of_each_role(
    desk: Desk, lang: str, words: tuple[str, ...]
) -> None:
    done = desk.call("verify", desk.public, lang=lang)
    assert (done.code, done.err) == (0, "")
    assert [word for word in words if word not in done.out] == []
    assert widest(done) <= 80


def test_json_has_the_same(desk: Desk, evening: FakeClock) -> None:
    printed = json.loads(desk.call("verify", desk.public, "--json").out)
    assert (printed["version"], printed["lists"], printed["orders"], printed["urgent"]) == (
        2,
        2,
        0,
        0,
    )
    assert printed["issued_at"] == evening.wall()
    assert printed["expiries"]["snapshot"] == evening.wall() + 90 * DAY_S


def test_an_empty_publication_is_good_and_reported(new_desk: Desk) -> None:
    new_desk.init()
    done = new_desk.call("verify", new_desk.public)
    assert (done.code, done.error_lines) == (0, ["warning: nothing has been published yet"])


def test_a_term_that_ends_soon_is_reported_by_the_exit_code(desk: Desk, evening: FakeClock) -> None:
    evening.advance(24 * DAY_S)
    done = desk.call("verify", desk.public)
    assert (done.code, done.error_lines) == (
        1,
        [
            "warning: the role timestamp is valid for 6 days more: publish again (feed"
            " publish REPO)",
        ],
    )


def test_a_publication_is_looked_at_where_it_is_served(desk: Desk) -> None:
    with served(desk.public) as server:
        done = desk.call("verify", server.url, "--root", desk.root)
    assert (done.code, done.err) == (0, "")
    assert "Version 2: all files match their signatures" in done.out


def test_whose_feed_it_is_must_be_said_of_an_address(desk: Desk) -> None:
    done = desk.call("verify", "https://feed.example/")
    assert (done.code, done.error_lines) == (
        2,
        [
            "filterd: the publisher's root is needed to verify a feed "
            "(--root ROOT.json, the file that schools get)"
        ],
    )


def _without_a_target(desk: Desk) -> None:
    next((desk.public / "targets" / "lists").iterdir()).unlink()


def _damaged(desk: Desk) -> None:
    path = next((desk.public / "targets" / "lists").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _of_another(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "feed")
    desk.init()
    shutil.copy(desk.root, desk.folder / "another.json")


def _without_a_root(desk: Desk) -> None:
    desk.root.unlink()


def _with_a_root_that_is_none(desk: Desk) -> None:
    desk.root.write_text("{}")


def _without_a_timestamp(desk: Desk) -> None:
    (desk.public / "metadata" / "timestamp.json").unlink()


@pytest.mark.parametrize(
    ("harm", "code", "why"),
    [
        (_without_a_target, 31, "not found"),
        (_damaged, 44, "the files do not match their signatures"),
        (_without_a_timestamp, 31, "not found"),
        (_without_a_root, 2, "root.json: cannot be read: No such file"),
        (_with_a_root_that_is_none, 45, "root.json: this is not a feed's root"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(
    desk: Desk,
    harm: object,
    code: int,
    why: str,
) -> None:
    assert callable(harm)
    harm(desk)
    done = desk.call("verify", desk.public)
    assert (done.code, len(done.error_lines), done.out) == (code, 1, ""), done
    assert why in done.err


def test_a_publication_that_others_have_signed_is_not_trusted(desk: Desk, tmp_path: Path) -> None:
    shutil.copy(desk.root, tmp_path / "ours.json")
    _of_another(desk)
    done = desk.call("verify", desk.public, "--root", tmp_path / "ours.json")
    assert (done.code, len(done.error_lines)) == (41, 1)


def test_a_clock_that_is_behind_judges_no_term_and_that_is_reported(
    desk: Desk, evening: FakeClock
) -> None:
    evening.set_wall(-3000 * DAY_S)
    done = desk.call("verify", desk.public)
    assert (done.code, done.error_lines) == (
        1,
        ["warning: the clock of this machine is behind; expiry dates were not checked"],
    )


def test_an_expired_publication_is_reported(desk: Desk, evening: FakeClock) -> None:
    evening.advance(40 * DAY_S)
    done = desk.call("verify", desk.public, lang="vi")
    assert (done.code, len(done.error_lines)) == (43, 1)
    assert "đã quá lâu không có bản mới được ký" in done.err


@pytest.mark.parametrize(
    ("source", "code"), [("nowhere", 2), ("https://", 2), ("ftp://feed.example/", 2)]
)
def test_what_is_no_publication_is_reported_in_one_line(desk: Desk, source: str, code: int) -> None:
    done = desk.call("verify", source, "--root", desk.root)
    assert (done.code, len(done.error_lines)) == (code, 1), done
