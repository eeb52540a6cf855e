# SPDX-License-Identifier: Apache-2.0
"""Answers of the manager, for pages that no daemon serves."""

from __future__ import annotations

from typing import Any

from filterd.policy import policy_file
from filterd.resolve.explanation import Explanation
from tests.support.policies import CATEGORIES, NOW, a_policy

IDS: dict[str, list[Any]] = {
    "grades": ["6", "9", "staff"],
    "tiers": ["lower-secondary", "staff"],
    "classes": ["6A", "6B", "9A"],
    "rooms": ["lab-a"],
    "networks": ["lab-a"],
    "services": ["tiktok"],
    "categories": ["games"],
    "lists": [],
    "exceptions": [],
    "exams": [],
}
SCOPE: dict[str, Any] = {
    "days": ["2025-12-01"],
    "skipped": [],
    "levels": {"lower-secondary": "blocked", "staff": "counts"},
    "least_devices": 5,
    "keep_days": 30,
}
LOOKUP: dict[str, Any] = {
    "id": "2025-12-01T13:30:00.0",
    "at": NOW,
    "name": "www.tiktok.com",
    "grade": "6",
    "class": "6A",
    "network": "lab-a",
    "category": "social-media",
    "action": "blocked",
    "blocker": "social-media",
    "device": 7,
    "n": 1,
}
FOUND: dict[str, Any] = {
    "rows": [LOOKUP],
    "seen": [],
    "seen_more": False,
    "cursor": None,
    "late": False,
    **SCOPE,
}


def a_policy_text() -> str:
    """Return a compiled policy, as ``policy`` has it."""
    return policy_file.dump(a_policy(categories=CATEGORIES)).decode()


def explained(**more: Any) -> dict[str, Any]:
    """Return how ``www.tiktok.com`` is blocked for class 6A."""
    found = Explanation(
        qname="www.tiktok.com",
        qtype="A",
        client=None,
        mac=None,
        network=None,
        grade="6",
        tier="lower-secondary",
        action="nxdomain",
        reason="category",
        matched="tiktok.com",
        category="social-media",
        list="service:tiktok",
        entry="tiktok.com",
        line=3,
        source="daemon",
        class_id="6A",
    )
    return found.to_plain() | more
