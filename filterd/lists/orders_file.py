# SPDX-License-Identifier: Apache-2.0
"""``orders.yaml`` of a ``blocklists/`` folder: blocking orders of an authority.

It is optional, and in no shipped folder: a school gets it from the feed, signed by the
key of the ordering authority and by no other. Each order becomes a list of the category
``law-ordered`` whose id has the order's number, so that ``filterd check`` shows which
order blocks a name.

An expired order still blocks here: a school's clock may be wrong, and an ordered name
opens when the authority decides so. It is left out when orders are signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from filterd.documents import DocumentModel, load, refusal, repeated, validate
from filterd.i18n import say
from filterd.lists.catalog_schema import IsoDate  # noqa: TC001 -- pydantic reads it at run time
from filterd.lists.rules import ListSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.documents import Document, Where
    from filterd.errors import ConfigError

FILE = "orders.yaml"
FOLDER = "orders"
CATEGORY = "law-ordered"
FORMAT = "domains"
PREFIX = "order:"
"""The prefix of ids of these lists; the number of the order follows."""
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
    if not (folder / FILE).exists():
        return (), []
    document, orders = load_orders(folder)
    problems = list(_problems(document, orders, folder, known))
    return (() if problems else tuple(_list(one, folder) for one in orders)), problems


def load_orders(folder: Path) -> tuple[Document, tuple[OrderEntry, ...]]:
    """Return the register of orders as it is written.

    Raises:
        ConfigErrors: single values are invalid.
        ConfigError: it cannot be read.
    """
    document = load(folder / FILE)
    return document, validate(document, OrdersFile).orders


def _list(entry: OrderEntry, folder: Path) -> ListSource:
    title = f"{entry.number}, {entry.issuer}, {entry.date}"
    path = str(folder.absolute() / entry.names)
    # Protections do not hold against it: an order means exactly these names.
    return ListSource(PREFIX + entry.number, CATEGORY, FORMAT, path, True, title)


def _problems(
    document: Document, orders: tuple[OrderEntry, ...], folder: Path, known: list[str]
) -> Iterator[ConfigError]:
    if orders and CATEGORY not in known:
        yield document.error(say("there is no category '{category}'", category=CATEGORY), ())
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
