# SPDX-License-Identifier: Apache-2.0
"""Rows of the query log's levels: what each tier has now, and by which setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.overrides.effects import has_ended
from filterd.overrides.log_changes import is_waiting
from filterd.policy.log_levels import LogLevel, levels, levels_of
from filterd.rows import Column, Listing, Row, Wording
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.policy.effective_policy import EffectiveState


def level_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return a row for each tier: level, level of the files, setting or None."""
    rows = []
    by_command = levels(now.policy, now.overrides, now.clock.now)
    for tier, files in levels_of(now.policy).items():
        level = now.moment.policy.log.level_of(tier)  # less, while the time is not known
        found = by_command[tier]
        setting = found.setting if found.level is level else None
        rows.append(
            {
                "tier": tier,
                "level": level.value,
                "files": files.value,
                "setting": None if setting is None else to_plain(setting),
            }
        )
    return rows


def waiting_rows(now: EffectiveState) -> list[dict[str, Any]]:
    """Return the settings that a second person has not confirmed, as plain data."""
    settings = now.overrides.log_settings
    open_now = (one for one in settings if is_waiting(one) and not has_ended(one, now.clock.now))
    return [to_plain(one) for one in open_now]


def named_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of tiers at a level that keeps names."""
    return [one for one in rows if LogLevel(one["level"]).includes(LogLevel.NAMES)]


def _source(row: Row, by: Wording) -> str:
    """Return the source of a level: the files, or a change with term and people."""
    setting = row["setting"]
    if setting is None:
        return "site.yaml"
    return f"{by.texts('change {number}', number=setting['id'])} {_agreed(setting, by)}"


def _agreed(setting: Row, by: Wording) -> str:
    """Return the term of a setting, and the people who set and confirmed it."""
    teller = Teller(*by)
    people = f"({teller.agreed(setting)})" if setting["author"] else ""
    return f"{teller.term(setting)} {people}".strip()


def levels_told(day: Row, by: Wording) -> str:
    """Return the levels that keep names, and what waits for confirmation, a line each."""
    lines = []
    for row in day.get("log_levels", ()):
        line = f"{by.texts.word(words.TIER, row['tier'])}: {row['level']}"
        if row["setting"] is not None:
            line += f" {_agreed(row['setting'], by)}"
        lines.append(line)
    lines += (waiting_told(one, by) for one in day.get("log_waiting", ()))
    return "\n".join(lines)


def levels_style(day: Row) -> str:
    """Return the style of ``levels_told``: a colour while a tier is at ``full``."""
    is_full = any(row["level"] == LogLevel.FULL for row in day.get("log_levels", ()))
    return "yellow" if is_full or day.get("log_waiting") else ""


def waiting_told(setting: Row, by: Wording) -> str:
    """Return a sentence on a setting that waits, with the command that confirms it."""
    people = f" ({Teller(*by).agreed(setting)})" if setting["author"] else ""
    return by.texts(
        "{what} waits for a second person to confirm it: filterd log confirm {id}",
        what=Teller(*by).thing("log_settings", setting) + people,
        id=setting["id"],
    )


LEVELS = Listing(
    say("Levels of the query log"),
    say("The site has no grades."),
    (
        Column(say("Tier"), "tier", words.TIER),
        Column(say("Level"), "level", style={LogLevel.FULL.value: "yellow"}),
        Column(say("Source"), worded=_source),
        Column(say("Reason"), worded=lambda row, _: (row["setting"] or {}).get("reason", "")),
    ),
)
