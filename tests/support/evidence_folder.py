# SPDX-License-Identifier: Apache-2.0
"""Lists with evidence in a ``blocklists/`` folder, as ``blocklists/vn`` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.yaml_files import change_yaml, write_yaml

if TYPE_CHECKING:
    from pathlib import Path

SEEN, AGAIN = "2026-08-22", "2027-02-22"
"""The day of the only source, and a day to look again."""
CONTACT = {"about": {"vi": "Chặn nhầm", "en": "Mistakes"}, "name": "Sở GD&ĐT", "phone": "111"}
"""Where those who are listed may object."""
GOOD = f"# evidence: page, again {AGAIN}\n"
"""A line of evidence that is right."""


def write_evidence(folder: Path, **texts: str) -> None:
    """Add lists with evidence to a folder, by their categories, their source and a contact.

    Args:
        folder: a whole ``blocklists/`` folder.
        texts: of the list of each category.
    """
    (folder / "vn").mkdir()
    page = {"id": "page", "title": "A page", "address": "https://page.example/"}
    entries = [{**page, "date": SEEN, "licence": "MIT"}]
    write_yaml(folder / "vn" / "evidence.yaml", {"evidence": entries})
    write_contact(folder)
    lists = []
    for category, text in texts.items():
        (folder / "vn" / f"{category}.txt").write_text(text, encoding="utf-8")
        listed = {"id": f"vn-{category}", "title": category, "category": category}
        lists.append({**listed, "format": "domains", "file": f"vn/{category}.txt", "own": True})
    change_yaml(folder / "catalog.yaml", lambda data: data["lists"].extend(lists))


def write_contact(folder: Path) -> None:
    """Name a contact in a folder: none is published without, if its lists have evidence."""
    write_yaml(folder / "contacts.yaml", {"contacts": [CONTACT]})
