# SPDX-License-Identifier: Apache-2.0
"""Word files from outside: what is taken, and what is refused before it is used."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from docx import Document

from filterd.base.errors import ConfigError
from filterd.reports import template_check
from filterd.reports.template_builder import built_in_template
from filterd.reports.template_check import checked, reopened
from tests.support.word_files import (
    BODY,
    changed,
    packed,
    parts_of,
    template_of,
    text_of,
    with_body,
    with_relation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = built_in_template()
TYPES = "[Content_Types].xml"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_MAIN = "wordprocessingml.document.main+xml"


def _field(*instructions: str) -> str:
    runs = "".join(
        f"<w:r><w:instrText>{instruction}</w:instrText></w:r>" for instruction in instructions
    )
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{one}"/></w:r>' for one in ("begin", "end"))
    return f"<w:p>{begin}{runs}{end}</w:p>"


def _simple(instruction: str) -> bytes:
    return with_body(PLAIN, f'<w:p><w:fldSimple w:instr="{instruction}"/></w:p>')


def _with_part(name: str, content: bytes = b"x") -> bytes:
    return packed(parts_of(PLAIN) | {name: content})


_DDE = f'<w:footnotes {_W}><w:p><w:fldSimple w:instr="DDEAUTO c:"/></w:p></w:footnotes>'.encode()

_RESULT = _field(" TOC ").replace(
    '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
    f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{_field("PAGE")[5:-6]}'
    '<w:r><w:t>1. DDE</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>',
)
"""A field in whose result is another."""
REFUSED = {
    "a macro": _with_part("word/vbaProject.bin"),
    "the type of a macro": changed(
        PLAIN,
        TYPES,
        f"vnd.openxmlformats-officedocument.{_MAIN}",
        "vnd.ms-word.document.macroEnabled.main+xml",
    ),
    "an attached template": with_relation(PLAIN, "attachedTemplate", "https://a.example/x.dotm"),
    "an attached template's element": changed(
        PLAIN, "word/settings.xml", "</w:settings>", "<w:attachedTemplate/></w:settings>"
    ),
    "a remote picture": with_relation(PLAIN, "image", "https://a.example/x.png"),
    "a remote object": with_relation(PLAIN, "oleObject", "https://a.example/x"),
    "an embedded object": with_relation(PLAIN, "oleObject", "embeddings/x.bin", "Internal"),
    "an embedded file": _with_part("word/embeddings/oleObject1.bin"),
    "an embedded workbook": with_relation(PLAIN, "package", "embeddings/x.xlsx", "Internal"),
    "another document": with_relation(PLAIN, "subDocument", "https://a.example/x.docx"),
    "a frame": with_relation(PLAIN, "frame", "https://a.example/"),
    "a chunk": with_relation(PLAIN, "aFChunk", "x.html", "Internal"),
    "a chunk's element": with_body(PLAIN, '<w:altChunk xmlns:x="y"/>'),
    "a part of another document": with_body(PLAIN, "<w:subDoc/>"),
    "an object": with_body(PLAIN, "<w:p><w:r><w:object/></w:r></w:p>"),
    "a control": with_body(PLAIN, "<w:p><w:r><w:control/></w:r></w:p>"),
    "a link to a file": with_relation(PLAIN, "hyperlink", "file:///etc/passwd"),
    "a link to a share": with_relation(PLAIN, "hyperlink", "\\\\server\\share"),
    "a script's link": with_relation(PLAIN, "hyperlink", "javascript:alert(1)"),
    "a picture by a link": with_body(
        with_relation(PLAIN, "hyperlink", "https://a.example/x.png"),
        f'<w:p><w:r><w:drawing><blip {_R} r:embed="rId900"/></w:drawing></w:r></w:p>',
    ),
    "a linked picture": with_body(PLAIN, f'<w:p><w:r><blip {_R} r:link="rId900"/></w:r></w:p>'),
    "a picture of VML": with_body(
        PLAIN,
        '<w:p><imagedata xmlns="urn:schemas-microsoft-com:vml" src="http://a.example"/></w:p>',
    ),
    "DDE": _simple("DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"),
    "DDE in pieces": with_body(PLAIN, _field(" DD", "EAUTO c:\\cmd.exe")),
    "DDE by QUOTE": with_body(
        PLAIN, _field("").replace("<w:instrText></w:instrText>", _field("QUOTE 68 68 69")[5:-6])
    ),
    "a field without an end": with_body(
        PLAIN, _field("DDE x").replace('<w:r><w:fldChar w:fldCharType="end"/></w:r>', "")
    ),
    "a field without a begin": with_body(
        PLAIN, "<w:p><w:r><w:instrText>DDE</w:instrText></w:r></w:p>"
    ),
    "DDE by a field within": with_body(
        PLAIN,
        _field(" PAGE ").replace(
            "<w:r><w:instrText>", f"{_field('REF a')[5:-6]}<w:r><w:instrText>", 1
        ),
    ),
    "DDE by a simple field within": with_body(
        PLAIN,
        _field(" PAGE ").replace(
            "<w:r><w:instrText>", '<w:fldSimple w:instr="REF a"/><w:r><w:instrText>'
        ),
    ),
    "DDE as plain text of a field": with_body(
        PLAIN,
        _field(" PAGE ").replace(
            "<w:r><w:instrText>", "<w:r><w:t>DDE x</w:t></w:r><w:r><w:instrText>"
        ),
    ),
    "an instruction in a result": with_body(
        PLAIN,
        _field("PAGE").replace(
            '<w:r><w:fldChar w:fldCharType="end"/>',
            '<w:r><w:fldChar w:fldCharType="separate"/><w:instrText>DDE x</w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="end"/>',
        ),
    ),
    "a library of schemas": changed(
        PLAIN, "word/settings.xml", "</w:settings>", "<w:schemaLibrary/></w:settings>"
    ),
    "an attribute of Strict Open XML": with_body(
        PLAIN, '<w:p xmlns:s="http://purl.oclc.org/ooxml/officeDocument/relationships" s:link="a"/>'
    ),
    "INCLUDETEXT": _simple("INCLUDETEXT /etc/passwd"),
    "INCLUDEPICTURE": _simple("INCLUDEPICTURE http://a.example/x.png"),
    "a field with a link to a share": _simple("HYPERLINK \\\\server\\share"),
    "a field with a tag": _simple("PAGE {{ school }}"),
    "a tag in an attribute": with_body(PLAIN, '<w:p w:rsidR="{{ school }}"/>'),
    "a tag in the settings": changed(
        PLAIN, "docProps/app.xml", "</Properties>", "<Company>{{ x }}</Company></Properties>"
    ),
    "a tag without an end": with_body(PLAIN, "<w:p><w:r><w:t>{{ school</w:t></w:r></w:p>"),
    "a tag over two paragraphs": with_body(
        PLAIN, "<w:p><w:r><w:t>{{</w:t></w:r></w:p><w:p><w:r><w:t>school }}</w:t></w:r></w:p>"
    ),
    "a tag with a line's end": with_body(PLAIN, "<w:p>\n{% x\n %}</w:p>"),
    "a document type": changed(
        PLAIN, BODY, "<w:document", '<!DOCTYPE x [<!ENTITY a "b">]><w:document'
    ),
    "an outer entity": changed(
        PLAIN, BODY, "<w:document", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><w:document'
    ),
    "Strict Open XML": with_body(
        PLAIN, '<p xmlns="http://purl.oclc.org/ooxml/wordprocessingml/main"/>'
    ),
    "a part that is XML by its content type only": _with_part("word/x.XML", _DDE),
    "a picture that is XML by its content type": _with_part("word/media/x.png", _DDE),
    "relationships in capitals": _with_part("word/_rels/styles.xml.RELS", b"<x/>"),
    "a name that leads upwards": _with_part("word/../../x.xml", b"<x/>"),
    "a name that leads upwards in Windows": _with_part("word\\..\\x.xml", b"<x/>"),
    "a name from the root": _with_part("/etc/x.xml", b"<x/>"),
    "a field with a bookmark and a share": _simple("HYPERLINK \\l x &quot;\\\\server\\share&quot;"),
    "a field with a bookmark and a file": _simple("HYPERLINK \\l x file:///etc/passwd"),
    "a field with an address and a share": _simple(
        "HYPERLINK https://a.example &quot;\\\\server\\share&quot;"
    ),
    "a picture with scripts": _with_part("word/media/x.svg", b"<svg/>"),
}
"""What is refused by its name."""

BROKEN = {
    "a template of Word": changed(PLAIN, TYPES, _MAIN, "wordprocessingml.template.main+xml"),
    "broken XML": changed(PLAIN, BODY, "</w:body>", ""),
    "XML nested too deep": with_body(PLAIN, "<w:p>" * 400 + "</w:p>" * 400),
    "two names that are one for Word": _with_part("word/Document.xml", b"<x/>"),
    "another kind of compression": packed(parts_of(PLAIN), zipfile.ZIP_LZMA),
    "no document": packed({"a.xml": b"<a/>"}),
    "no archive": b"PK\x03\x04" + bytes(100),
    "nothing": b"",
    "a truncated file": PLAIN[: len(PLAIN) // 2],
}
LARGE: dict[str, Callable[[], bytes]] = {
    "a long document": lambda: with_body(PLAIN, "".join(f"<w:p>{n}</w:p>" for n in range(90_000))),
    "much XML beside the text": lambda: packed(
        parts_of(PLAIN) | {f"customXml/item{n}.xml": b"<x/>" + b" " * (1 << 17) for n in range(40)}
    ),
    "long headers": lambda: packed(
        parts_of(PLAIN)
        | {
            f"word/header{n}.xml": f"<w:hdr {_W}>{'<w:p/>' * 40_000}</w:hdr>".encode()
            for n in range(9, 15)
        }
    ),
    "many tags": lambda: with_body(PLAIN, "<w:p><w:r><w:t>{{ school }}</w:t></w:r></w:p>" * 2_001),
    "a long tag": lambda: with_body(
        PLAIN, f"<w:p><w:r><w:t>{{{{ {'x' * 400} }}}}</w:t></w:r></w:p>"
    ),
    "many members": lambda: packed(
        parts_of(PLAIN) | {f"word/x{n}.xml": b"<a/>" for n in range(400)}
    ),
    "a bomb": lambda: _with_part(
        "word/x.xml", b"<a>" + (b"<b>" + b" " * (7 << 20) + b"</b>") * 3 + b"</a>"
    ),
    "a large member": lambda: _with_part("word/x.xml", b" " * (25 << 20)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_hostile_file_is_refused_and_its_part_is_named(what: str) -> None:
    begin = "the Word file has what a template may not have: "
    with pytest.raises(ConfigError, match=f"^{begin}.+") as raised:
        checked(REFUSED[what])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_word_file_is_refused(what: str) -> None:
    with pytest.raises(ConfigError, match=r"^this is not a Word file"):
        checked(BROKEN[what])


@pytest.mark.parametrize("what", LARGE)
def test_what_is_too_large_is_refused_before_it_is_inflated(what: str) -> None:
    with pytest.raises(ConfigError, match=r"^the Word file is too large"):
        checked(LARGE[what]())


def test_a_file_with_two_parts_of_one_name_is_refused() -> None:
    octets = io.BytesIO(PLAIN)
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(octets, "a") as archive,
    ):
        archive.writestr(BODY, "<a/>")
    with pytest.raises(ConfigError, match="not a Word file"):
        checked(octets.getvalue())


def test_a_lie_about_the_size_of_a_part_does_not_inflate_it() -> None:
    bomb = _with_part("word/x.xml", b"<a>" + b" " * (20 << 20) + b"</a>")
    size = (20 << 20) + 7
    with pytest.raises(ConfigError):
        checked(bomb.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))


@pytest.mark.parametrize(
    "octets",
    [
        PLAIN,
        built_in_template("en"),
        template_of("{{ school }}", footer="{{ code }}"),
        with_relation(PLAIN, "hyperlink", "https://moet.gov.vn/van-ban?id=1"),
        with_relation(PLAIN, "hyperlink", "mailto:vanthu@hcm.edu.vn"),
        with_body(PLAIN, _field(" PAGE ") + _field(' HYPERLINK "https://moet.gov.vn" ')),
        with_body(PLAIN, _RESULT),
        with_body(PLAIN, _field(" TOC \\o ") + _field(" HYPERLINK \\l _Toc1 ")),
    ],
)
def test_what_people_make_in_word_is_taken(octets: bytes) -> None:
    made = checked(octets)
    assert text_of(made.octets) == text_of(octets)
    Document(io.BytesIO(made.octets))
    assert checked(made.octets).octets == made.octets


def test_pictures_of_the_usual_kinds_are_taken() -> None:
    for begin in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"):
        assert checked(_with_part("word/media/image1.jpeg", begin)).octets


def test_a_bound_text_is_bound_no_more_because_word_would_put_another_over_it() -> None:
    bound = '<w:sdt><w:sdtPr><w:dataBinding w:xpath="/x"/></w:sdtPr><w:sdtContent/></w:sdt>'
    made = parts_of(checked(with_body(PLAIN, bound)).octets)[BODY]
    assert b"<w:sdtPr/>" in made


def test_in_what_was_made_a_text_may_look_like_a_tag() -> None:
    octets = with_body(PLAIN, "<w:p><w:r><w:t>{{ x</w:t></w:r></w:p>")
    assert "{{ x" in text_of(reopened(octets).octets)
    with pytest.raises(ConfigError, match="may not have"):
        reopened(REFUSED["a remote picture"])


def test_properties_are_found_as_libreoffice_names_them() -> None:
    """Else python-docx adds a second part of the same name."""
    kind = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    octets = changed(PLAIN, "_rels/.rels", kind, kind.replace("package", "officedocument"))
    assert kind.encode() in parts_of(checked(octets).octets)["_rels/.rels"]


def test_links_for_people_are_named() -> None:
    assert checked(with_relation(PLAIN, "hyperlink", "https://a.example/")).links == {
        "https://a.example/"
    }


def test_what_stands_beside_the_archive_is_not_in_the_file_that_is_used() -> None:
    assert b"MZ-hidden" not in checked(b"MZ-hidden" + PLAIN).octets


def test_control_without_the_list_of_relationships_a_remote_picture_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(template_check, "_external", lambda _: {})
    made = checked(REFUSED["a remote picture"])
    assert b"https://a.example/x.png" in parts_of(made.octets)["word/_rels/document.xml.rels"]


def test_control_without_the_look_at_elements_a_chunk_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(template_check, "_check_element", lambda *_: None)
    assert b"altChunk" in parts_of(checked(REFUSED["a chunk's element"]).octets)[BODY]


def test_control_without_the_bound_a_bomb_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_check, "MOST_RATIO", 100_000)
    monkeypatch.setattr(template_check, "MOST_XML_OCTETS", template_check.MOST_OCTETS)
    assert len(parts_of(checked(LARGE["a bomb"]()).octets)["word/x.xml"]) > 20 << 20
