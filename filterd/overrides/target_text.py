# SPDX-License-Identifier: Apache-2.0
"""Read names, targets, grades and classes as people write them. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.addresses import is_address
from filterd.base.errors import ChangeError, ConfigError, NameTextError
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy import field_checks
from filterd.policy.model import GRADES, TIERS, Audience
from filterd.policy.temporary_rules import TargetKind, written
from filterd.texts.i18n import did_you_mean, quoted, say
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.policy.model import GradePolicy, Policy

_NAME_LIKE = say("write a name such as vnu.edu.vn")
_KINDS = (TargetKind.SERVICE, TargetKind.CATEGORY, TargetKind.ENTRY)


class Target(NamedTuple):
    """The target of an exception."""

    kind: TargetKind
    target: str

    @classmethod
    def read(cls, text: str, *, opens: bool = True) -> Target:
        """Read a target as the operator wrote it.

        Args:
            text: the target.
            opens: whether the exception opens it; else it closes it.

        Raises:
            ConfigError: it is neither a name nor of a known kind, or it is a
                public suffix that is not written as one.
        """
        before, colon, after = text.partition(":")
        if not colon or "://" in text or "[" in text or text.count(":") > 1:
            return cls(TargetKind.NAME, target_name_from(text, opens=opens))
        if before not in {*_KINDS, TargetKind.NAME}:
            hint = did_you_mean(before, [str(kind) for kind in _KINDS])
            raise ConfigError(say("'{before}:' is not a kind of target", before=before), hint=hint)
        kind = TargetKind(before)
        if kind is TargetKind.NAME:
            return cls(kind, target_name_from(after, opens=opens))
        return cls(kind, name_from(after) if kind is TargetKind.ENTRY else after.strip())

    def __str__(self) -> str:
        return written(self.kind, self.target)


def qname_from(text: str) -> bytes:
    """Return the wire name that a person wrote, in letters of any language.

    Raises:
        ConfigError: it is not a name, or an address or a URL: the DNS takes these for
            names, and an operator who pastes one does not mean that.
    """
    _refuse_what_is_never_looked_up(text)
    try:
        return names.from_text(text) if text.isascii() else name_from_key(key_from_text(text))
    except HostnameError as error:
        raise ConfigError(error.sentence, hint=_NAME_LIKE) from error
    except NameTextError as error:
        raise ConfigError(
            say("{text} is not a name: {reason}", text=repr(text), reason=quoted(error.reason)),
            hint=_NAME_LIKE,
        ) from error


def name_asked(text: str, *, subtree: bool = False) -> dict[str, str]:
    """Return a name as a request has it; ``*.NAME`` is it and all beneath.

    Raises:
        ConfigError: it is none.
    """
    bare = text.removeprefix("*.")
    match = "subtree" if subtree or bare != text else "exact"
    return {"name": qname_from(bare).hex(), "match": match}


def _refuse_what_is_never_looked_up(text: str) -> None:
    # RFC 2317 has slashes in the names of reverse zones.
    if "/" in text and not text.removesuffix(".").endswith(".in-addr.arpa"):
        host = text.partition("://")[2] or text
        hint = say("name its host: {host}", host=repr(host.partition("/")[0]))
        raise ConfigError(say("{text} is a URL", text=repr(text)), hint=hint)
    if is_address(text.removeprefix("[").removesuffix("]")):
        raise ConfigError(
            say("{text} is an address; DNS filtering works on names", text=repr(text)),
            hint=_NAME_LIKE,
        )


def grade_from(text: str) -> str:
    """Return the grade that a person wrote.

    Raises:
        ConfigError: there is no such grade.
    """
    if text not in GRADES:
        raise ConfigError(
            say("{text} is not a grade", text=repr(text)),
            hint=say("one of {known}", known=", ".join(GRADES)),
        )
    return text


def looks_like_a_class(text: str) -> bool:
    """Return whether what stands for a grade is a class: ``6A``, ``9/3``."""
    return text[:1].isdecimal() and not text.isdecimal()


def class_from(text: str) -> str:
    """Return the class that a person wrote, which the site may not have.

    Raises:
        ConfigError: no class is written so.
    """
    try:
        return field_checks.class_id(text)
    except ChangeError as error:
        raise ConfigError(error.reason, hint=error.hint) from error


def tier_from(text: str) -> str:
    """Return a tier as the operator wrote it.

    Raises:
        ConfigError: there is no such tier.
    """
    if text not in TIERS:
        raise ConfigError(
            say("{value} is not a tier", value=repr(text)), hint=did_you_mean(text, TIERS)
        )
    return text


def policy_for(policy: Policy, wanted: str) -> GradePolicy:
    """Return the policy of a grade or class.

    Raises:
        ConfigError: the site does not have it.
    """
    if wanted not in policy.grades:
        hint = did_you_mean(wanted, [one.id for one in policy.classes])
        raise ConfigError(say("'{wanted}' is not a class of this site", wanted=wanted), hint=hint)
    return policy.grades[wanted]


def target_name_from(text: str, *, opens: bool = True) -> str:
    """Return the name of an exception, as ``name_from`` does.

    A name covers everything beneath it, and a public suffix sites of many owners: to open
    one, or to close one of a registry, it must be written ``*.edu.vn``.

    Raises:
        ConfigError: it is none, or a suffix that is not written so.
    """
    bare = text.removeprefix("*.")
    is_top = names.count_labels(qname_from(bare)) == 1  # never a host, however it is written
    if bare != text and not is_top and has_strangers_beneath(qname_from(bare)):
        return name_from(bare)
    name = name_from(bare if is_top else text)
    if has_strangers_beneath(qname_from(name), companies=opens):
        raise ConfigError(
            say("anyone can register names under '{name}': all of them would open", name=name)
            if opens
            else say(
                "anyone can register names under '{name}': all of them would close", name=name
            ),
            hint=say("write one of these names")
            if is_top
            else say("write one of these names, or '*.{name}' if all of them are meant", name=name),
        )
    return name


def name_from(text: str) -> str:
    """Return a name as text: A-labels in lower case, without a dot at the end.

    Raises:
        ConfigError: it is none.
    """
    if text.startswith("*."):
        hint = say("write '{name}': a name includes everything beneath it", name=text[2:])
        raise ConfigError(say("a name needs no '*.'"), hint=hint)
    qname = qname_from(text)
    if qname == names.ROOT:
        raise ConfigError(say("the root is above every name"), hint=say("name one domain or host"))
    return names.to_text(qname)


def whom_from(option: str, audience: Audience, value: str) -> str:
    """Return the value that an audience has.

    Args:
        option: its name in errors.
        audience: the kind of value.
        value: as a person wrote it.

    Raises:
        ConfigError: there is none of this kind.
    """
    if audience is Audience.GRADE:
        return grade_from(value)
    if audience is Audience.CLASS:
        return class_from(value)
    if audience is Audience.TIER:
        return tier_from(value)
    if audience is Audience.CLIENT:
        try:
            return str(ip_address(value))
        except ValueError as error:
            hint = say("such as 10.0.6.21")
            raise ConfigError(
                say("{option} {value} is not an address", option=option, value=repr(value)),
                hint=hint,
            ) from error
    return value
