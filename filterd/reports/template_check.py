# SPDX-License-Identifier: Apache-2.0
"""Check a Word file from outside, and write it anew without hidden parts.

A Word file is a ZIP archive of XML (ECMA-376, parts 1 and 2). What its relationships name is
loaded, so there is a list of kinds that a template needs, and any other kind is refused:
macros, embedded objects, remote pictures, attached templates, other documents. The only thing
outside of the file that it may name is the address behind a link for people.

The file is written anew from the parts that were parsed: what one reader of ZIP or XML sees
and another does not is not in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from lxml import etree

from filterd.base.archives import DAMAGED, LongDirectoryError, opened_zip
from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.reports.xml_element import remove_from_parent, text_of
from filterd.texts.i18n import Sentence, one_line, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.reports.xml_element import XmlElement

MOST_MEMBERS = 300
MOST_MEMBER_OCTETS, MOST_OCTETS = 24 << 20, 48 << 20
"""Of a part, and of all, when they are inflated."""
MOST_XML_OCTETS = 4 << 20
"""Of the parts of a template but its pictures: a tree takes 35 times as much memory."""
MOST_FILLED_OCTETS = 1 << 20
"""Of the parts whose tags are filled in; twenty pages of Word have a quarter of it."""
MOST_RATIO, _SMALL = 150, 256 << 10
"""A part that is not small may be so many times as large as its packed form."""

_DAMAGED = (*DAMAGED, etree.XMLSyntaxError)
"""What the libraries raise for a file that is none of Word's."""

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_VML = ("urn:schemas-microsoft-com:vml", "urn:schemas-microsoft-com:office:office")
_STRICT = "http://purl.oclc.org/"
"""The other form of ECMA-376, which python-docx does not read."""
_TYPES = "[Content_Types].xml"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

_RELATIONSHIPS = {
    "officeDocument",
    "core-properties",
    "extended-properties",
    "custom-properties",
    "thumbnail",
    "styles",
    "stylesWithEffects",
    "settings",
    "webSettings",
    "fontTable",
    "theme",
    "numbering",
    "header",
    "footer",
    "footnotes",
    "endnotes",
    "comments",
    "commentsExtended",
    "commentsIds",
    "commentsExtensible",
    "people",
    "image",
    "hyperlink",
    "customXml",
    "customXmlProps",
    "glossaryDocument",
    "classificationlabels",
}
"""The last word of their types; Word and LibreOffice write these of themselves."""
_CORE = f"{_PACKAGE}relationships/metadata/core-properties"
_NAME = re.compile(r"(?:[^/\\]+/)*[^/\\]*\.(xml|rels|png|jpg|jpeg|gif)")
"""Of a part; its end decides how it is checked, and Word does not distinguish ``.XML``."""
_PICTURE = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")
"""Begins of a PNG, JPEG or GIF: no XML, which Word would read by its content type."""
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]{1,2000}", re.ASCII | re.IGNORECASE)
_REFUSED = {
    "altChunk",
    "object",
    "OLEObject",
    "control",
    "subDoc",
    "frameset",
    "attachedTemplate",
    "mailMerge",
    "movie",
    "saveThroughXslt",
    "schemaLibrary",
}
"""Elements that load, run or hold something else; so are attributes of these names:"""
_LOADING = {f"{{{_R}}}link", f"{{{_R}}}href", f"{{{_R}}}pict", f"{{{_VML[1]}}}href", "src", "href"}
_LINKS = {f"{{{_W}}}hyperlink", "hlinkClick"}
_FIELDS = {
    "PAGE",
    "NUMPAGES",
    "SECTION",
    "SECTIONPAGES",
    "DATE",
    "TIME",
    "CREATEDATE",
    "SAVEDATE",
    "PRINTDATE",
    "TITLE",
    "SUBJECT",
    "AUTHOR",
    "TOC",
    "PAGEREF",
    "NOTEREF",
    "REF",
    "SEQ",
    "STYLEREF",
    "HYPERLINK",
}
"""Fields of Word that read nothing outside of the document and run nothing."""
_SWITCH = 2
r"""Characters of a switch of a field, such as \h."""
_INSTRUCTIONS = (f"{{{_W}}}instrText", f"{{{_W}}}delInstrText")
_TAG = re.compile(r"\{[{%#]")
_WHOLE_TAG = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}|\{#[^{}]*#\}")
MOST_TAGS, LONGEST_TAG = 2_000, 400
_FILLED = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes)\.xml")
"""Parts whose tags are filled in."""
_DATE = (1980, 1, 1, 0, 0, 0)


@frozen
class WordFile:
    """A Word file that was checked.

    Attributes:
        octets: the file, written anew.
        links: addresses that its links name.
        trees: the parts of the document, by their names in the archive.
    """

    octets: bytes
    links: frozenset[str]
    trees: dict[str, XmlElement]

    def text(self, part: str) -> str:
        """Return the text of a part, without the spaces between its paragraphs."""
        return text_of(self.trees[part])


def checked(octets: bytes) -> WordFile:
    """Return a template, checked and written anew.

    Raises:
        ConfigError: it is no Word file, is too large, or has what is refused.
    """
    return _checked(octets, is_template=True)


def reopened(octets: bytes) -> WordFile:
    """Return what a template was made into, checked alike; texts may look like tags.

    Raises:
        ConfigError: as of ``checked``.
    """
    return _checked(octets, is_template=False)


def _checked(octets: bytes, *, is_template: bool) -> WordFile:
    try:
        parts = _inflated(octets, MOST_RATIO if is_template else MOST_OCTETS)
        texts = {name: part for name, part in parts.items() if name.endswith((".xml", ".rels"))}
        if is_template:
            filled = [text for name, text in texts.items() if _FILLED.fullmatch(name)]
            for some, most in ((texts.values(), MOST_XML_OCTETS), (filled, MOST_FILLED_OCTETS)):
                if sum(map(len, some)) > most:
                    raise _too_large()
        trees = {name: _parsed(text) for name, text in texts.items()}
        _check_types(trees[_TYPES], parts)
        links = dict[str, dict[str, str]]()
        for name, tree in trees.items():
            if name.endswith(".rels"):
                folder, _, file = name.removesuffix(".rels").rpartition("_rels/")
                links[folder + file] = _external(tree)
        for name, tree in trees.items():
            if name != _TYPES and not name.endswith(".rels"):
                _check_part(tree, links.get(name, {}))
                if is_template:
                    _check_tags(name, tree)
    except _DAMAGED as error:
        hint = say("save it in Word as .docx again")
        raise ConfigError(say("this is not a Word file"), hint=hint) from error
    filled_trees = {name: tree for name, tree in trees.items() if _FILLED.fullmatch(name)}
    addresses = frozenset(address for link in links.values() for address in link.values())
    return WordFile(_packed(parts, trees), addresses, filled_trees)


def _inflated(octets: bytes, most_ratio: int) -> dict[str, bytes]:
    """Return the parts by their names, all within bounds."""
    parts, left = dict[str, bytes](), MOST_OCTETS
    try:
        archive = opened_zip(io.BytesIO(octets))
    except LongDirectoryError as error:
        raise _too_large() from error
    with archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise _too_large()
        for member in members:
            size, packed = member.file_size, member.compress_size
            if size > min(left, MOST_MEMBER_OCTETS):
                raise _too_large()
            if size > _SMALL and size > most_ratio * packed:
                raise _too_large()
            with archive.open(member) as file:
                content = file.read(size + 1)
            if len(content) > size:
                raise zipfile.BadZipFile(member.filename)
            parts[member.filename], left = content, left - size
        if len({one.filename.lower() for one in members}) < len(members):
            raise zipfile.BadZipFile
    return parts


def _packed(parts: dict[str, bytes], trees: dict[str, XmlElement]) -> bytes:
    """Return the archive of parts, written from their trees where parsed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            written = content
            if name in trees:
                written = etree.tostring(trees[name], encoding="UTF-8", standalone=True)
            archive.writestr(zipfile.ZipInfo(name, _DATE), written, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _parsed(content: bytes) -> XmlElement:
    """Return the tree of a part; a document type is refused, so no entity expands."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    tree = etree.fromstring(content, parser)
    if tree.getroottree().docinfo.doctype:
        raise _refusal(say("a document type"))
    root: XmlElement = tree
    return root


def _check_types(tree: XmlElement, parts: dict[str, bytes]) -> None:
    """Refuse parts that Word would run or embed; ``tree`` names the type of each part."""
    kinds = [one.get("ContentType", "") for one in tree.iter("{*}Default", "{*}Override")]
    if any("macro" in kind.lower() or "vba" in kind.lower() for kind in kinds):
        raise _refusal(say("a macro"))
    if _WORD not in kinds:
        hint = say("save it in Word as .docx again")
        raise ConfigError(say("this is not a Word file"), hint=hint)
    for name, content in parts.items():
        found = _NAME.fullmatch(name)
        is_taken = found and (found[1] in {"xml", "rels"} or content.startswith(_PICTURE))
        if not is_taken or {".", ".."} & {*name.split("/")}:
            raise _refusal(say("an embedded file: {name}", name=name[:80]))


def _external(tree: XmlElement) -> dict[str, str]:
    """Return addresses outside of the file, by the keys of their relationships."""
    addresses = dict[str, str]()
    for one in tree.iter(f"{{{_PACKAGE}relationships}}Relationship"):
        kind, target = one.get("Type", "").rpartition("/")[2], one.get("Target", "")
        if kind not in _RELATIONSHIPS:
            raise _refusal(say("a relationship of the kind {kind}", kind=kind[:80]))
        if kind == _CORE.rpartition("/")[2]:
            one.set("Type", _CORE)  # LibreOffice writes another, and docx then adds a second part
        if one.get("TargetMode", "Internal").lower() == "internal":
            continue
        if kind != "hyperlink" or not _LINK.fullmatch(target):
            raise _refusal(say("something outside of the file: {target}", target=target[:80]))
        addresses[one.get("Id", "")] = target
    return addresses


def _check_part(tree: XmlElement, links: dict[str, str]) -> None:
    """Refuse elements, attributes and fields that load, run or hold something else."""
    for element in list(tree.iter(etree.Element)):
        if etree.QName(element).localname == "dataBinding":
            remove_from_parent(element)  # Word would put another text over a filled one
            continue
        _check_element(element, links)
    for instruction in _instructions(tree):
        words = instruction.split()
        is_known = bool(words) and words[0].upper() in _FIELDS
        if is_known and words[0].upper() == "HYPERLINK":
            is_known = _names_a_link(words[1:])
        if not is_known:
            raise _refusal(say("the field {name}", name=instruction.strip()[:80] or "?"))


def _check_tags(name: str, tree: XmlElement) -> None:
    """Refuse tags that are not filled in, or do not end in their paragraph.

    docxtpl takes long over the latter.
    """
    shown = "".join(tree.itertext(f"{{{_W}}}t"))
    hidden = ["".join(one.values()) for one in tree.iter(etree.Element)]
    hidden += [one.text or "" for one in tree.iter(etree.Element) if one.tag != f"{{{_W}}}t"]
    if not _FILLED.fullmatch(name):
        hidden.append(shown)
    for text in hidden:
        if _TAG.search(text):
            raise _refusal(
                say("a tag in {part}, where none is filled in: {text}", part=name, text=text[:80])
            )
    left = MOST_TAGS
    for paragraph in tree.iter(f"{{{_W}}}p"):
        text = text_of(paragraph)
        tags = _WHOLE_TAG.findall(text)
        left -= len(tags)
        if _TAG.search(_WHOLE_TAG.sub("", text)):
            raise _refusal(say("a tag that does not end in its paragraph: {text}", text=text[:80]))
        if left < 0 or any(len(tag) > LONGEST_TAG for tag in tags):
            raise _too_large()


def _check_element(element: XmlElement, links: dict[str, str]) -> None:
    kind = etree.QName(element)
    if kind.localname in _REFUSED:
        raise _refusal(say("the element {name}", name=kind.localname))
    names = (element.tag, *element.keys())
    if any(name.startswith(f"{{{_STRICT}") for name in names):
        raise _refusal(say("the form Strict Open XML"))
    for key, value in element.items():
        is_loading = key in _LOADING and (key.startswith("{") or kind.namespace in _VML)
        is_misused = value in links and key.startswith(f"{{{_R}}}") and not _is_link(kind)
        if is_loading or is_misused:
            raise _refusal(say("the attribute {name}", name=etree.QName(key).localname))


def _is_link(kind: etree.QName) -> bool:
    return kind.text in _LINKS or kind.localname in _LINKS


def _names_a_link(words: list[str]) -> bool:
    r"""Return whether a HYPERLINK field names an address for people, or \l a bookmark.

    Of the words that are no switches the first is the address, wherever it stands.
    """
    if any(len(word) > _SWITCH and word.lstrip('"').startswith("\\") for word in words):
        return False
    first = words[0].strip('"') if words else ""
    return bool(_LINK.fullmatch(first)) or (
        first == "\\l" and all(word.startswith("\\") for word in words[2:])
    )


def _instructions(tree: XmlElement) -> Iterator[str]:
    """Yield the instruction of each field, however many runs of text it is cut into.

    Word takes any text before the result for a part of it, and so the result of a field within,
    which may be any text: ``?``.
    """
    begun, results = list[list[str]](), set[int]()
    texts = f"{{{_W}}}t", *_INSTRUCTIONS
    for element in tree.iter(f"{{{_W}}}fldSimple", f"{{{_W}}}fldChar", *texts):
        is_within = bool(begun) and len(begun) not in results
        kind = element.get(f"{{{_W}}}fldCharType")
        if element.tag in texts:
            if is_within:
                begun[-1].append(element.text or "")
            elif element.tag in _INSTRUCTIONS:
                yield "?"
        elif kind == "separate":
            results.add(len(begun))
        elif kind == "end" and begun:
            results.discard(len(begun))
            yield "".join(begun.pop())
        else:
            if is_within:
                begun[-1].append("?")
            if kind is None:
                yield element.get(f"{{{_W}}}instr", "")
            else:
                begun.append([])
    yield from ("".join(one) for one in begun)


def _refusal(what: Sentence) -> ConfigError:
    return ConfigError(
        say("the Word file has what a template may not have: {what}", what=one_line(what)),
        hint=say("remove it in Word, and save the file as .docx"),
    )


def _too_large() -> ConfigError:
    return ConfigError(say("the Word file is too large"))
