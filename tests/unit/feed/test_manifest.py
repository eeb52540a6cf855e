# SPDX-License-Identifier: Apache-2.0
"""What a version's folder says of itself, and what a disk has made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.feed.manifest import is_of, sha256_of, signers_of, verify, write_manifest
from filterd.feed.version_download import take
from filterd.feed.versions import Versions
from tests.support.feed_versions import Publisher, a_list

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHER = Publisher()
CONTENTS = {"catalog.yaml": b"lists: []\n", "lists/games.txt": a_list(range(40))}


def _folder(tmp_path: Path) -> Path:
    """Return the folder of a version that was taken."""
    publication = PUBLISHER.publish(1, CONTENTS)
    return take(publication, Versions(tmp_path), PUBLISHER).candidate.folder


def test_a_folder_is_of_the_publication_that_it_was_taken_from_and_of_no_other(
    tmp_path: Path,
) -> None:
    folder = _folder(tmp_path)
    publication = PUBLISHER.publish(1, CONTENTS)
    assert is_of(folder, publication)
    assert not is_of(folder, replace(publication, files=publication.files[1:]))
    other = {**CONTENTS, "catalog.yaml": b"lists: [] \n"}
    assert not is_of(folder, PUBLISHER.publish(1, other))


def test_a_folder_that_is_damaged_is_of_no_publication(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "catalog.yaml").unlink()
    assert verify(folder) == ("catalog.yaml",)
    assert not is_of(folder, PUBLISHER.publish(1, CONTENTS))


def test_every_flipped_octet_of_a_manifest_is_noticed_or_harmless(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    octets = (folder / "manifest.json").read_bytes()
    wrong = folder / "lists/games.txt"
    wrong.unlink()
    wrong.write_bytes(b"another content")
    for at in range(len(octets)):
        flipped = bytes((octets[at] ^ 1,))
        (folder / "manifest.json").write_bytes(octets[:at] + flipped + octets[at + 1 :])
        assert verify(folder)


def test_a_manifest_that_lost_an_octet_names_no_other_key_than_signed_it(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    path = folder / "manifest.json"
    publication = replace(PUBLISHER.publish(1, CONTENTS), signers={"orders": ("ab12",)})
    write_manifest(folder, publication)
    octets = path.read_bytes()
    for at in range(len(octets)):
        path.write_bytes(octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :])
        assert signers_of(folder) in (None, {"orders": ["ab12"]})


def test_one_of_release_0_1_has_no_digest_and_is_read(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    data = json.loads((folder / "manifest.json").read_bytes())
    del data["digest"]
    (folder / "manifest.json").write_text(json.dumps(data, indent=0))
    assert verify(folder) == ()
    assert is_of(folder, PUBLISHER.publish(1, CONTENTS))


def test_what_is_no_plain_file_has_no_digest(tmp_path: Path) -> None:
    assert sha256_of(tmp_path) is None
    assert sha256_of(tmp_path / "none") is None
