# SPDX-License-Identifier: Apache-2.0
"""Optional tables of a folder that become lists: orders, look-alikes.

``orders.yaml``, blocking orders of an authority, is in no shipped folder: a school gets it
from the feed, signed by the key of the ordering authority and by no other. Each order becomes
a list of the category ``law-ordered`` whose id has the order's number, so that ``filterd
check`` shows which order blocks a name. An expired order still blocks here: a school's clock
may be wrong, and an ordered name opens when the authority decides so. It is left out when
orders are signed.

``lookalikes.yaml`` has rules, a list of them per category. It is written by
``filterd.feed.families.lookalike_rules`` rather than by hand; the bounds here protect a school's
memory, whatever its origin. What came later stands in ``additions.yaml``, under ``lookalikes`` and
the category, so that a program that does not know it has the rules as before:

``near``     rules with a reach (``lookalikes.Reach``): groups of shapes, with the domains beneath
             which they do not hold; ``schools`` has the letters that none of them closes.
``parts``    shapes of ``lookalikes.yaml`` that belong to a part of the category.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from filterd.documents import DocumentModel, did_you_mean, load, refusal, repeated, validate
from filterd.lists.catalogs.catalog_schema import IsoDate
from filterd.lists.catalogs.table_additions import added_to
from filterd.lists.lookalikes import (
    MOST_DIGITS,
    MOST_NEAR_RULES,
    MOST_RULES,
    MOST_SUFFIXES,
    LookalikeRule,
    Reach,
    is_near_shape,
    is_shape,
)
from filterd.lists.rules import LOOKALIKE_PREFIX, ORDER_PREFIX, ListSource
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from filterd.base.errors import ConfigError
    from filterd.documents import Document, Where


ORDERS_FILE = "orders.yaml"
ORDERS_FOLDER = "orders"
LAW_ORDERED = "law-ordered"
_FORMAT = "domains"
MOST_ORDERS = 500
"""Active at a time: each is a file, beside those of the lists."""

_MOST_CHARACTERS = 200


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_CHARACTERS:
        raise refusal(
            say("a text of 1 to {most} characters is expected", most=_MOST_CHARACTERS),
            say("put it in quotes"),
        )
    if not value.isprintable() or value != value.strip():
        raise refusal(say("one line of text is expected"), say("remove the unprintable characters"))
    return value


_Line = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
_OrderFile = Annotated[str, Field(pattern=r"^orders/[a-z0-9][a-z0-9_.-]{0,80}\.txt$")]


class OrderEntry(DocumentModel):
    """An order: its number as it is written, the authority, and its days."""

    number: _Line
    issuer: _Line
    date: IsoDate
    expiry: IsoDate
    names: _OrderFile

    @model_validator(mode="after")
    def _is_in_order(self) -> OrderEntry:
        if self.expiry < self.date:
            raise refusal(say("the order ends before it begins"), say("swap `date` and `expiry`"))
        return self


class OrdersFile(DocumentModel):
    """``orders.yaml``."""

    orders: Annotated[tuple[OrderEntry, ...], Field(max_length=MOST_ORDERS)]


def read_orders(folder: Path, known: list[str]) -> tuple[tuple[ListSource, ...], list[ConfigError]]:
    """Read the orders of a folder, if it has any.

    Args:
        folder: with or without ``orders.yaml``.
        known: ids of its categories.

    Returns:
        A list for each order, and the errors beyond single values.

    Raises:
        ConfigErrors: single values are invalid.
        ConfigError: it cannot be read.
    """
    if not (folder / ORDERS_FILE).exists():
        return (), []
    document, orders = load_orders(folder)
    problems = list(_order_problems(document, orders, folder, known))
    return (() if problems else tuple(_order_list(order, folder) for order in orders)), problems


def load_orders(folder: Path) -> tuple[Document, tuple[OrderEntry, ...]]:
    """Return the register of orders as it is written.

    Raises:
        ConfigErrors: single values are invalid.
        ConfigError: it cannot be read.
    """
    document = load(folder / ORDERS_FILE)
    return document, validate(document, OrdersFile).orders


def _order_list(entry: OrderEntry, folder: Path) -> ListSource:
    title = f"{entry.number}, {entry.issuer}, {entry.date}"
    path = str(folder.absolute() / entry.names)
    # Protections do not hold against it: an order means exactly these names.
    return ListSource(ORDER_PREFIX + entry.number, LAW_ORDERED, _FORMAT, path, True, title)


def _order_problems(
    document: Document, orders: tuple[OrderEntry, ...], folder: Path, known: list[str]
) -> Iterator[ConfigError]:
    if orders and LAW_ORDERED not in known:
        yield document.error(say("there is no category '{category}'", category=LAW_ORDERED), ())
    for key in ("number", "names"):
        values: list[tuple[str, Where]] = [
            (getattr(entry, key), ("orders", position, key))
            for position, entry in enumerate(orders)
        ]
        yield from repeated(document, values, say("this {key} occurs twice", key=key))
    for position, entry in enumerate(orders):
        if not (folder / entry.names).is_file():
            where = ("orders", position, "names")
            reason = say("there is no file {file}", file=entry.names)
            yield document.error(reason, where, hint=say("write its names there, one a line"))


LOOKALIKES, LOOKALIKES_FILE = "lookalikes", "lookalikes.yaml"
_MOST_SUFFIX_CHARACTERS = 80
_MOST_SCHOOLS = 2_000


def _shape(value: Any) -> bytes:
    if not isinstance(value, str) or not is_shape(value):
        raise refusal(
            say("'{value}' is not a shape of a label", value=value),
            say("such as i9bet#: letters and digits, # for a run of digits"),
        )
    return value.encode("ascii")


class LookalikeFamily(DocumentModel):
    """A family: shape and category; ``digits``: the most in a run."""

    shape: Annotated[bytes, PlainValidator(_shape)]
    category: str
    digits: Annotated[int, Field(ge=1, le=MOST_DIGITS)] = 1


class LookalikesFile(DocumentModel):
    """``lookalikes.yaml``; ``suffixes``: by category, those that its mirrors use."""

    suffixes: dict[str, Annotated[tuple[str, ...], Field(max_length=MOST_SUFFIXES)]]
    lookalikes: Annotated[tuple[LookalikeFamily, ...], Field(max_length=MOST_RULES)]


def _near_shape(value: Any) -> str:
    if not isinstance(value, str) or not is_near_shape(value):
        raise refusal(
            say("'{value}' is not a shape of a label", value=value),
            say("such as i9bet#: letters and digits, # for a run of digits"),
        )
    return value


def _domain(value: Any) -> bytes:
    if not isinstance(value, str) or "." in value or not _is_suffix(value):
        raise refusal(say("'{value}' is not a suffix", value=value), say("such as com or vn"))
    return names.from_text(value)


_NearShape = Annotated[str, PlainValidator(_near_shape)]
_Domain = Annotated[bytes, PlainValidator(_domain)]
_Letters = Annotated[str, Field(pattern=r"^[a-z]{1,63}$")]
_Digits = Annotated[int, Field(ge=1, le=MOST_DIGITS)]


class NearGroup(DocumentModel):
    """Shapes with one reach, most digits in a run of each; ``but``: where none holds."""

    but: Annotated[tuple[_Domain, ...], Field(max_length=MOST_SUFFIXES)]
    shapes: Annotated[dict[_NearShape, _Digits], Field(max_length=MOST_NEAR_RULES)]


class AddedRules(DocumentModel):
    """What ``additions.yaml`` has about the rules of a category; see above."""

    near: tuple[NearGroup, ...] = ()
    schools: Annotated[tuple[_Letters, ...], Field(max_length=_MOST_SCHOOLS)] = ()
    parts: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class AddedFile(DocumentModel):
    """``additions.yaml``, as far as it is about rules."""

    lookalikes: dict[str, AddedRules]


def read_lookalikes(
    folder: Path, known: list[str], parts: Mapping[str, str] | None = None
) -> tuple[tuple[ListSource, ...], list[ConfigError]]:
    """Read the rules of a folder, if it has any.

    Args:
        folder: with or without ``lookalikes.yaml``.
        known: ids of its categories.
        parts: by the id of each part, its category.

    Returns:
        Lists for each category with rules, and the errors beyond single values.

    Raises:
        ConfigErrors: single values are invalid.
        ConfigError: it cannot be read.
    """
    path, wholes = folder / LOOKALIKES_FILE, parts or {}
    lists: list[Iterator[ListSource]] = []
    problems: list[ConfigError] = []
    additions, data = added_to(folder, LOOKALIKES, AddedRules.model_fields)
    added: dict[str, AddedRules] = {}
    if additions is not None:
        added = validate(replace(additions, data={LOOKALIKES: data}), AddedFile).lookalikes
        problems += _added_problems(additions, added, known, wholes)
    if path.exists():
        document = load(path)
        file = validate(document, LookalikesFile)
        problems += _rule_problems(document, file, known)
        lists.append(_rule_lists(document, file, added))
    if additions is not None:
        lists.append(_near_lists(additions, added))
    return (() if problems else tuple(chain.from_iterable(lists))), problems


def _rule_lists(
    document: Document, file: LookalikesFile, added: Mapping[str, AddedRules]
) -> Iterator[ListSource]:
    for category, texts in file.suffixes.items():
        suffixes = frozenset(names.from_text(text) for text in texts)
        parts = added[category].parts if category in added else {}
        of_part = {shape.encode(): part for part, shapes in parts.items() for shape in shapes}
        rules = dict[str, list[LookalikeRule]]()
        for position, lookalike in enumerate(file.lookalikes):
            if lookalike.category == category:
                line = document.place((LOOKALIKES, position))[0]
                rule = LookalikeRule(lookalike.shape, lookalike.digits, suffixes, line)
                rules.setdefault(of_part.get(lookalike.shape, category), []).append(rule)
        for each, some in rules.items():
            yield _rule_list(LOOKALIKE_PREFIX + each, each, document.path, some)


def _near_lists(document: Document, added: Mapping[str, AddedRules]) -> Iterator[ListSource]:
    for category, one in added.items():
        schools = frozenset(letters.encode() for letters in one.schools)
        rules = list[LookalikeRule]()
        for position, group in enumerate(one.near):
            reach = Reach(frozenset(group.but), schools)
            where = (LOOKALIKES, category, "near", position, "shapes")
            for shape, digits in group.shapes.items():
                line = document.place((*where, shape))[0]
                rules.append(LookalikeRule(shape.encode(), digits, frozenset(), line, reach=reach))
        if rules:
            yield _rule_list(f"{LOOKALIKE_PREFIX}near:{category}", category, document.path, rules)


def _rule_list(
    list_id: str, category: str, path: str, rules: Iterable[LookalikeRule]
) -> ListSource:
    title = f"Look-alikes of {category}"
    return ListSource(
        list_id, category, "domains", path, title=title, names=(), lookalikes=tuple(rules)
    )


def _added_problems(
    document: Document,
    added: Mapping[str, AddedRules],
    known: list[str],
    wholes: Mapping[str, str],
) -> Iterator[ConfigError]:
    categories = [*known, *wholes]
    for category, one in added.items():
        if category not in categories:
            reason = say("'{word}' is not a category", word=category)
            hint = did_you_mean(category, categories)
            yield document.error(reason, (LOOKALIKES, category), hint=hint)
        for part in one.parts:
            if wholes.get(part) != category:
                reason = say("'{part}' is not a part of '{whole}'", part=part, whole=category)
                hint = did_you_mean(part, [each for each, of in wholes.items() if of == category])
                yield document.error(reason, (LOOKALIKES, category, "parts", part), hint=hint)
    count = sum(len(group.shapes) for one in added.values() for group in one.near)
    if count > MOST_NEAR_RULES:
        reason = say("{count} rules are more than {most}", count=count, most=MOST_NEAR_RULES)
        yield document.error(reason, (LOOKALIKES,))


def _rule_problems(
    document: Document, file: LookalikesFile, known: Iterable[str]
) -> Iterator[ConfigError]:
    categories = list(known)
    for category, texts in file.suffixes.items():
        if category not in categories:
            reason = say("'{word}' is not a category", word=category)
            hint = did_you_mean(category, categories)
            yield document.error(reason, ("suffixes", category), hint=hint)
        for position, text in enumerate(texts):
            if not _is_suffix(text):
                reason = say("'{value}' is not a suffix", value=text)
                where = ("suffixes", category, position)
                yield document.error(reason, where, hint=say("such as com or com.vn"))
    seen = set[tuple[str, bytes]]()
    for position, lookalike in enumerate(file.lookalikes):
        if lookalike.category not in file.suffixes:
            reason = say("'{word}' has no suffixes", word=lookalike.category)
            hint = did_you_mean(lookalike.category, list(file.suffixes))
            yield document.error(reason, ("lookalikes", position, "category"), hint=hint)
        if (lookalike.category, lookalike.shape) in seen:
            reason = say("this {key} occurs twice", key="shape")
            yield document.error(reason, ("lookalikes", position, "shape"), hint=say("remove it"))
        seen.add((lookalike.category, lookalike.shape))


def _is_suffix(text: str) -> bool:
    """Return whether a text is labels of a host name, in lower-case A-labels."""
    labels = text.split(".")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    return len(text) <= _MOST_SUFFIX_CHARACTERS and all(
        0 < len(label) <= 63 and allowed.issuperset(label) for label in labels
    )
