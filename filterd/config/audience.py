# SPDX-License-Identifier: Apache-2.0
"""The audience of an entry in ``site.yaml``.

That is everybody, a tier, a grade, a class, a network, or a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from filterd.config.scalars import (  # noqa: TC001 -- pydantic reads annotations at run time
    Address,
    ClassId,
    Grade,
    Identifier,
    Tier,
)
from filterd.documents import DocumentModel, OrElse, did_you_mean, refusal
from filterd.i18n import say
from filterd.policy.model import Audience

if TYPE_CHECKING:
    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document, Where
    from filterd.errors import ConfigError, Problems


class Whom(DocumentModel):
    """The clients of an entry; without any key, everybody."""

    tier: Tier | None = Field(None, description="Everybody of this tier.")
    grade: Grade | None = Field(None, description="Everybody of this grade.")
    class_: ClassId | None = Field(None, alias="class", description="Everybody of this class.")
    network: Identifier | None = Field(None, description="Everybody in this network.")
    client: Address | None = Field(None, description="The device with this address.")

    @model_validator(mode="after")
    def _is_one(self) -> Whom:
        if len(self.model_dump(exclude_none=True)) > 1:
            raise refusal(say("an exception has one audience"), say("write one entry for each"))
        return self

    @property
    def audience(self) -> tuple[Audience, str]:
        """The kind of audience, and which one of the kind."""
        for key, value in self.model_dump(exclude_none=True, by_alias=True).items():
            return Audience(key), value
        return Audience.EVERYBODY, ""


def _everybody_is_no_key(value: Any) -> Any:
    if value == "everybody":
        return {}
    if isinstance(value, str):
        raise refusal(
            say("'{value}' is not an audience", value=value),
            say("everybody, or {grade: 6}, {network: library}, ..."),
        )
    return value


ForWhom = Annotated[
    Whom, BeforeValidator(_everybody_is_no_key), OrElse(Whom, {"const": "everybody"})
]


def check_audience(
    document: Document, where: Where, whom: Whom, site: SiteFile, problems: Problems
) -> bool:
    """Return whether the network or class of an audience is one of the site's.

    If it is not, note the error.

    Args:
        document: the file.
        where: the path to the entry whose key ``for`` names the audience.
        whom: the audience.
        site: the content of the file.
        problems: collects the error.
    """
    if whom.network is not None and whom.network not in site.networks:
        reason = say("'{network}' is not a network of this site", network=whom.network)
        hint = did_you_mean(whom.network, site.networks)
        problems.add(document.error(reason, (*where, "for", "network"), hint=hint))
        return False
    if whom.class_ is not None and whom.class_ not in site.classes:
        problems.add(no_class(document, (*where, "for", "class"), whom.class_, site))
        return False
    return True


def no_class(document: Document, where: Where, wanted: str, site: SiteFile) -> ConfigError:
    """Return the error of a class that the site does not have."""
    hint = did_you_mean(wanted, site.classes) or say("name it under classes, with its grade")
    return document.error(
        say("'{wanted}' is not a class of this site", wanted=wanted), where, hint=hint
    )
