# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError, ConfigErrors, ListError, StoreError
from filterd.base.paths import shipped
from filterd.documents import load
from filterd.feed.version_files import is_file_path
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.catalog_schema import MAX_CANARIES
from filterd.lists.top_names import Popular, read_popular
from filterd.publish import version_build
from filterd.publish.review import read_queue
from filterd.publish.version_build import BuildReport, build_version
from tests.support.evidence_folder import write_contact
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PHISHING, GAMES = "blocklistproject-phishing", "blocklistproject-fortnite"
SCAM = [f"scam{number}.example" for number in range(300)]


class _Publisher:
    """A publisher with the lists that ship, and texts of two sources."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.target = folder / "blocklists", folder / "built"
        shutil.copytree(shipped("blocklists"), self.folder)
        write_contact(self.folder)
        self._texts = folder / "texts"
        self._texts.mkdir()
        self.texts = dict[str, Path]()
        self.give(PHISHING, "\n".join(SCAM))
        self.give(GAMES, "0.0.0.0 fortnite.example\n")

    def give(self, source_id: str, text: str) -> None:
        self.texts[source_id] = self._texts / f"{source_id}.txt"
        self.texts[source_id].write_text(text)

    def build(
        self,
        *,
        target: Path | None = None,
        popular: Popular | None = None,
        previous: Path | None = None,
        accepted: bool = False,
    ) -> BuildReport:
        return build_version(
            self.folder,
            self.texts,
            target or self.target,
            today="2027-01-15",
            popular=popular,
            previous=previous,
            accepted=accepted,
        )


@pytest.fixture
def publisher(tmp_path: Path) -> _Publisher:
    return _Publisher(tmp_path)


def _files(folder: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_outcome_is_a_folder_like_the_one_that_ships(publisher: _Publisher) -> None:
    report = publisher.build()
    assert report.written
    built, before = load_catalog(publisher.target), load_catalog(publisher.folder)
    assert built.categories == before.categories
    assert built.pins == before.pins
    assert built.services
    ids = {one.id for one in built.lists}
    assert {"starter-games", "feed-games", "feed-scam"} <= ids
    assert {source.id for source in built.sources} == {PHISHING, GAMES}


def test_nothing_of_the_publishers_own_lists_is_lost(publisher: _Publisher) -> None:
    publisher.build()
    before, after = (
        version_build._content(version_build._categories_of(folder, Popular()), {})
        for folder in (publisher.folder, publisher.target)
    )
    more = {one: after.names[one] - count for one, count in before.names.items()}
    assert {one: count for one, count in more.items() if count} == {"scam": 300, "games": 1}


def test_a_source_marked_as_subtrees_is_published_so(publisher: _Publisher) -> None:
    def mark(catalog: Any) -> None:
        next(one for one in catalog["sources"] if one["id"] == GAMES)["subtrees"] = True

    change_yaml(publisher.folder / "catalog.yaml", mark)
    publisher.build()
    assert (publisher.target / "lists" / "feed-games.txt").read_text() == "fortnite.example\n"


@pytest.mark.parametrize(
    ("text", "lines"), [("0.0.0.0 a.example\n", ["urlhaus"]), ("", []), ("# none\n", [])]
)
def test_a_source_of_single_hosts_in_a_locked_category_is_reported(
    publisher: _Publisher, text: str, lines: list[str]
) -> None:
    publisher.give("urlhaus", text)
    categories = publisher.build().categories
    assert categories["malware"].single_hosts == lines
    assert categories["games"].single_hosts == [], "of a category that is open to some"


def test_every_file_may_be_published(publisher: _Publisher) -> None:
    publisher.build(popular=Popular(["google.com"]))
    assert all(map(is_file_path, _files(publisher.target)))


def test_the_same_input_gives_the_same_octets(publisher: _Publisher, tmp_path: Path) -> None:
    publisher.build()
    publisher.give(PHISHING, "\n".join([*reversed(SCAM), *SCAM[:9]]))
    publisher.build(target=tmp_path / "again")
    assert _files(tmp_path / "again") == _files(publisher.target)


def test_a_build_replaces_the_last_one_whole(publisher: _Publisher) -> None:
    publisher.build()
    (publisher.target / "lists" / "stray.txt").write_text("x")
    publisher.build()
    assert "lists/stray.txt" not in _files(publisher.target)
    beside = {path.name for path in publisher.target.parent.iterdir()}
    assert beside == {"blocklists", "built", "texts"}


def test_each_category_has_names_to_ask_for(publisher: _Publisher) -> None:
    publisher.build()
    canaries = {one["category"]: one["names"] for one in _yaml(publisher.target / "canaries.yaml")}
    assert canaries["porn"][0] == "porn.blocked.filterd.example"
    assert "pornhub.com" in canaries["porn"]
    assert all(len(names) <= MAX_CANARIES for names in canaries.values())


def _yaml(path: Path) -> list[dict[str, Any]]:
    data = load(path).data
    assert isinstance(data, dict)
    return list(data["canaries"])


def test_popular_names_travel_with_the_version(publisher: _Publisher) -> None:
    publisher.build(popular=Popular(["google.com", "zalo.me"]))
    assert (publisher.target / "popular.txt").read_text() == "google.com\nzalo.me\n"


def _shrink(publisher: _Publisher) -> None:
    publisher.give(PHISHING, "\n".join(SCAM[:200]))


def _grow(publisher: _Publisher) -> None:
    publisher.give(PHISHING, "\n".join([*SCAM, *(f"more{n}.example" for n in range(300))]))


def _lose(publisher: _Publisher) -> None:
    (publisher.folder / "starter/dating.txt").write_text("# nothing\n")


def _close_google(publisher: _Publisher) -> None:
    publisher.give(GAMES, "0.0.0.0 fortnite.example\n0.0.0.0 google.com\n")


_POPULAR = Popular(["google.com"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_shrink, r"category scam: 3\d\d names become 2"),
        (_grow, r"category scam: 3\d\d names become 6"),
        (_lose, "category dating: all its"),
        (_close_google, "closed, 0 are allowed: google.com"),
    ],
)
def test_an_unusual_change_is_held_until_it_is_reviewed(
    publisher: _Publisher, tmp_path: Path, change: Callable[[_Publisher], None], why: str
) -> None:
    # Only what a table protects is out of reach of such a mistake; google.com is not here.
    (publisher.folder / "protect.yaml").write_text("protections: []\n")
    publisher.build(popular=_POPULAR)
    change(publisher)
    new = tmp_path / "new"
    report = publisher.build(target=new, popular=_POPULAR, previous=publisher.target)
    assert (report.written, new.exists()) == (False, False)
    assert any(re.search(why, str(one)) for one in report.held)
    report = publisher.build(target=new, popular=_POPULAR, previous=publisher.target, accepted=True)
    assert report.written
    assert report.held
    assert new.is_dir()


def test_a_usual_change_is_not_held(publisher: _Publisher, tmp_path: Path) -> None:
    publisher.build(popular=_POPULAR)
    publisher.give(PHISHING, "\n".join([*SCAM[5:], "new1.example", "new2.example"]))
    report = publisher.build(target=tmp_path / "new", popular=_POPULAR, previous=publisher.target)
    assert (report.held, report.written) == ((), True)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_version_that_closes_a_name_that_must_stay_open_is_held(
    publisher: _Publisher, tmp_path: Path, is_first: bool
) -> None:
    frozen = read_popular(None)
    assert publisher.build(popular=frozen).written, "what ships closes none"
    publisher.give(GAMES, "0.0.0.0 www.unex.es\n0.0.0.0 vk.com\n0.0.0.0 chess.com\n")
    new, previous = tmp_path / "new", None if is_first else publisher.target
    report = publisher.build(target=new, popular=frozen, previous=previous)
    assert not report.written
    (held,) = map(str, report.held)
    assert held.endswith("2 popular names that must stay open would be closed: unex.es, vk.com")
    control = publisher.build(target=new, popular=Popular(), previous=previous)
    assert control.written, "the control: without them nothing would hold it"


def test_a_list_of_danger_does_not_close_what_must_stay_open(publisher: _Publisher) -> None:
    publisher.give(PHISHING, "vk.com\nscam1.example\n")
    report = publisher.build(popular=read_popular(None))
    assert report.written
    assert report.categories["scam"].set_aside == ["vk.com"]


def test_a_list_of_danger_that_names_what_is_popular_is_not_held_but_put_right(
    publisher: _Publisher, tmp_path: Path
) -> None:
    (publisher.folder / "protect.yaml").write_text("protections: []\n")
    publisher.build(popular=_POPULAR)
    publisher.give(PHISHING, "\n".join([*SCAM, "google.com"]))
    report = publisher.build(target=tmp_path / "new", popular=_POPULAR, previous=publisher.target)
    assert report.held == ()
    assert report.categories["scam"].set_aside == ["google.com"]
    assert b"google" not in (tmp_path / "new/lists/feed-scam.txt").read_bytes()


@pytest.mark.parametrize("category", ["law-ordered", "child-abuse"])
def test_what_only_an_order_may_close_is_not_built(publisher: _Publisher, category: str) -> None:
    (publisher.folder / f"starter/{category}.txt").write_text("somebody.example\n")
    with pytest.raises(ListError, match="signed orders only"):
        publisher.build()
    assert not publisher.target.exists()


def test_a_wrong_folder_leaves_the_last_build(publisher: _Publisher) -> None:
    publisher.build()
    before = _files(publisher.target)
    (publisher.folder / "pins.yaml").write_text("pins: [{nam: x}]\n")
    with pytest.raises(ConfigErrors):
        publisher.build()
    assert _files(publisher.target) == before


def test_a_text_that_is_gone_leaves_the_last_build(publisher: _Publisher) -> None:
    publisher.build()
    before = _files(publisher.target)
    publisher.texts[PHISHING].unlink()
    with pytest.raises(ListError, match="cannot be read"):
        publisher.build()
    assert _files(publisher.target) == before


def test_a_full_disk_leaves_the_last_build(
    publisher: _Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.build()
    before = _files(publisher.target)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(StoreError, match="No space left"):
        publisher.build()
    assert _files(publisher.target) == before
    assert not publisher.target.with_name(".built.new").exists()


MIRRORS = [f"i9bet{number}.{suffix}" for number in (16, 42, 77) for suffix in ("com", "vip")]


def _rules(publisher: _Publisher) -> list[str]:
    lists = load_catalog(publisher.target).lookalikes
    return [rule.written for one in lists for rule in one.lookalikes]


def _waiting(publisher: _Publisher) -> dict[bytes, tuple[str, ...]]:
    """Return of each shape that waits what a rule of it would close."""
    return {one.shape: one.closes for one in read_queue(publisher.folder)}


def test_families_of_names_become_rules_that_a_school_loads(publisher: _Publisher) -> None:
    publisher.give(PHISHING, "\n".join(MIRRORS))
    report = publisher.build()
    assert "~i9bet#" in _rules(publisher)
    assert len(_rules(publisher)) == report.rules
    assert report.waiting == len(read_queue(publisher.folder))


@pytest.mark.parametrize("harmless", ["popular", "pins", "protections", "services"])
def test_a_rule_that_fits_what_people_need_waits_for_a_person(
    publisher: _Publisher, harmless: str
) -> None:
    publisher.give(PHISHING, "\n".join(MIRRORS))
    known = Popular(["www.i9bet5.com"]) if harmless == "popular" else None
    entries: dict[str, Any] = {
        "pins": {"name": "i9bet5.com", "reason": "help"},
        "protections": {"name": "i9bet5.com", "reason": "bank"},
    }
    if entry := entries.get(harmless):
        file = {"pins": "pins.yaml", "protections": "protect.yaml"}[harmless]
        change_yaml(publisher.folder / file, lambda data: data[harmless].append(entry))
    elif harmless == "services":
        names = ["i9bet5.com"]
        change_yaml(
            publisher.folder / "services.yaml",
            lambda data: data["services"][0]["names"].extend(names),
        )
    publisher.build(popular=known)
    assert "~i9bet#" not in _rules(publisher)
    assert _waiting(publisher)[b"i9bet#"] == ("i9bet5.com",)


def test_a_popular_name_that_a_list_closes_anyway_keeps_no_rule_waiting(
    publisher: _Publisher,
) -> None:
    (publisher.folder / "starter/gambling.txt").write_text("\n".join(MIRRORS))
    publisher.build(popular=Popular(["i9bet16.com"]))
    assert "~i9bet#" in _rules(publisher)


def test_a_version_that_is_held_leaves_its_queue_all_the_same(publisher: _Publisher) -> None:
    publisher.build()
    publisher.give(PHISHING, "\n".join(MIRRORS))
    report = publisher.build(previous=publisher.target, popular=Popular(["i9bet5.com"]))
    assert not report.written
    assert _waiting(publisher)[b"i9bet#"] == ("i9bet5.com",)


def test_rules_written_by_hand_are_refused(publisher: _Publisher) -> None:
    (publisher.folder / "lookalikes.yaml").write_text("suffixes: {}\nlookalikes: []\n")
    with pytest.raises(ConfigError, match=r"lookalikes\.yaml: these rules are made by each build"):
        publisher.build()
    assert not publisher.target.exists()


def _names_of_games(publisher: _Publisher) -> str:
    publisher.build()
    file = publisher.target / "lists" / "feed-games.txt"
    return file.read_text() if file.exists() else ""


def test_what_may_not_be_published_again_is_left_out(publisher: _Publisher) -> None:
    def forbid(catalog: Any) -> None:
        next(one for one in catalog["sources"] if one["id"] == GAMES)["republish"] = False

    assert "fortnite.example" in _names_of_games(publisher)  # a control
    change_yaml(publisher.folder / "catalog.yaml", forbid)
    assert _names_of_games(publisher) == ""


def test_no_service_is_in_a_category_of_orders(publisher: _Publisher) -> None:
    entry = {"id": "ordered", "group": "law-ordered", "name": {"vi": "x", "en": "x"}}
    change_yaml(
        publisher.folder / "services.yaml",
        lambda data: data["services"].append({**entry, "names": ["somebody.example"]}),
    )
    with pytest.raises(ListError, match="signed orders only"):
        publisher.build()
