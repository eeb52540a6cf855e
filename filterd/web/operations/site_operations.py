# SPDX-License-Identifier: Apache-2.0
"""Say what became of a draft of ``site.yaml``; draft a part by its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.value_class import frozen
from filterd.operations import site
from filterd.operations.site import DraftSite, ReadSite
from filterd.texts.i18n import Sentence, say
from filterd.web.endpoint import WebEndpoint, endpoint
from filterd.web.sections import ORDER as SECTIONS

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Fields
    from filterd.web.sections.site_section import SiteSection
    from filterd.web.visitor import Visitor


def _applied(answer: Any, _: Visitor) -> Sentence:
    if answer["restart_for"]:
        return say(
            "The site is in force. Restart filterd to change: {what}",
            what=", ".join(answer["restart_for"]),
        )
    return say("The site is in force.")


@frozen(kw_only=True)
class SectionEndpoint(WebEndpoint):
    """``draftSite`` by the fields of a form, of which a section makes the edits."""

    section: SiteSection

    @property
    def fields(self) -> Fields:
        """The fields of the form."""
        return self.section.parameters

    async def run(self, visitor: Visitor, values: dict[str, Any]) -> Any:
        """Draft the edits; see ``WebEndpoint``."""
        data = (await visitor.send(ReadSite()))["data"]
        return await visitor.answer(DraftSite(tuple(self.section.edits(data, values))))


DROP_DRAFT = endpoint(site.DROP_DRAFT, done=lambda _, __: say("Nothing was changed."))
APPLY_SITE = endpoint(site.APPLY_SITE, done=_applied)
PASTE_TIMETABLE = endpoint(site.PASTE_TIMETABLE, largest_octets=512 * 1024)
EDITS = {
    one.id: endpoint(
        site.DRAFT_SITE,
        kind=SectionEndpoint,
        name=one.operation,
        path=f"{site.DRAFT_SITE.path}/{one.id}",
        about=f"Draft this part of site.yaml, as its form has it: {one.title}.",
        section=one,
    )
    for one in SECTIONS
}
"""The operation of each section, by its id."""
