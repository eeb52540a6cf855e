# SPDX-License-Identifier: Apache-2.0
"""Word files: templates as a person makes them, and files altered by an attacker."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from docx import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY = "word/document.xml"
RELATIONS = "word/_rels/document.xml.rels"


def template_of(*paragraphs: str, footer: str = "") -> bytes:
    """Return a Word file of paragraphs, as a person types them."""
    document, octets = Document(), io.BytesIO()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if footer:
        document.sections[0].footer.paragraphs[0].text = footer
    document.save(octets)
    return octets.getvalue()


def parts_of(octets: bytes) -> dict[str, bytes]:
    """Return the parts of a Word file by their names."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


def packed(parts: Mapping[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a Word file of parts; ``kind`` is the compression."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", kind) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return octets.getvalue()


def changed(octets: bytes, name: str, before: str, after: str) -> bytes:
    """Return a Word file in one part of which one text stands for another."""
    parts = parts_of(octets)
    content = parts[name].decode()
    assert before in content
    return packed(parts | {name: content.replace(before, after, 1).encode()})


def with_body(octets: bytes, markup: str) -> bytes:
    """Return a Word file with markup at the begin of its body."""
    return changed(octets, BODY, "<w:body>", f"<w:body>{markup}")


def with_relation(octets: bytes, kind: str, target: str, mode: str = "External") -> bytes:
    """Return a Word file with one more relationship, ``rId900``; ``kind`` ends its type."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = (
        f'<Relationship Id="rId900" Type="{office}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    )
    return changed(octets, RELATIONS, "</Relationships>", f"{relation}</Relationships>")


def text_of(octets: bytes, name: str = BODY) -> str:
    """Return the text of a part: a line for each paragraph."""
    paragraphs = parts_of(octets)[name].decode().split("</w:p>")
    texts = ("".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)", paragraph)) for paragraph in paragraphs)
    return "\n".join(texts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
