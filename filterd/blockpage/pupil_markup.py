# SPDX-License-Identifier: Apache-2.0
"""Write pages as HTML, each one file of at most 20 kB. Pure.

They have no script, image or font. The pages are trees, and the standard library writes them:
no text can become markup, whatever a pupil typed or a school is called.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from filterd.texts import words

if TYPE_CHECKING:
    from filterd.blockpage.pupil_words import PupilWords
    from filterd.texts.i18n import Texts

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--paper:#fff;--line:#8a97a6;--soft:#f1f4f8;\
--act:#0b57b7;--on-act:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--paper:#12181f;--line:#7b8896;\
--soft:#1e2731;--act:#8fc1ff;--on-act:#0b1520}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);\
font:1.125rem/1.6 system-ui,"Noto Sans","Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:40rem;margin:0 auto;padding:.75rem 1.25rem}
header{display:flex;gap:1rem;justify-content:space-between;border-bottom:1px solid var(--line)}
h1{font-size:1.6rem;line-height:1.3;margin:.5rem 0 1rem}
h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
p{margin:0 0 .75rem}
li{margin-bottom:.4rem}
a{color:var(--act)}
.line{background:var(--soft);border-left:.4rem solid var(--act);padding:.75rem 1rem}
.line strong{font-size:1.3rem}
label,legend{display:block;font-weight:600;margin-bottom:.25rem}
fieldset{border:0;margin:0 0 .75rem;padding:0}
legend{padding:0}
fieldset label{font-weight:400;padding:.35rem 0}
input[type=text]{width:100%;font:inherit;padding:.6rem;border:2px solid var(--line);\
background:var(--paper);color:var(--ink);margin-bottom:.75rem}
input[type=radio]{width:1.25rem;height:1.25rem;vertical-align:-.2rem;margin-right:.5rem}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:.5rem 1.25rem;border:0;\
border-radius:.3rem;background:var(--act);color:var(--on-act)}
:focus-visible{outline:3px solid var(--act);outline-offset:3px}
.small{font-size:1rem}
footer{border-top:1px solid var(--line)}
@media print{form,nav{display:none}}
"""
_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = (
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),  # with none at all a form would come from "null"
    ("Vary", "Accept-Language"),
)
_CHILD_LINE = "111"


class PageSchool(NamedTuple):
    """The school of a page, and its contact."""

    name: str = ""
    contact: str = ""


class ReviewForm(NamedTuple):
    """The hidden fields of the form that asks for a review."""

    name: str
    token: str


def why_page(
    page: PupilWords,
    school: PageSchool,
    texts: Texts,
    *,
    review: ReviewForm | None = None,
    again: str = "",
    is_home: bool = False,
) -> bytes:
    """Return the page of a name.

    Args:
        page: its words.
        school: shown above and below.
        texts: the language.
        review: the form for a review follows with these fields, if it is not None.
        again: the address of the same page, without a language.
        is_home: whether the field for another name follows.
    """
    root, main = _frame(page.title, school, texts, again)
    if page.is_help:
        _help_line(main, texts)
    for sentence in page.sentences:
        _text(main, "p", sentence)
    if page.steps:
        _text(main, "h2", texts("What you can do"))
        steps = SubElement(main, "ul")
        for step in page.steps:
            _text(steps, "li", step)
        if school.contact:
            _text(steps, "li", texts("At school: {contact}", contact=school.contact))
    if review is not None:
        _review(main, review, texts)
    if is_home:
        _text(main, "h2", texts("Another address"))
        _field(main, texts)
    if page.kept:
        _text(main, "h2", texts("What is kept of this"))
        _text(main, "p", page.kept).set("class", "small")
    return _file(root)


def field_page(school: PageSchool, texts: Texts, again: str = "") -> bytes:
    """Return the first page: type a name, read why it is closed."""
    root, main = _frame(texts("Why does a page not open?"), school, texts, again)
    _field(main, texts)
    return _file(root)


def message_page(
    title: str, sentence: str, school: PageSchool, texts: Texts, *, is_home: bool = False
) -> bytes:
    """Return a page with one sentence."""
    root, main = _frame(title, school, texts, "/" if is_home else "")
    _text(main, "p", sentence).set("role", "status")
    if is_home:
        _field(main, texts)
    return _file(root)


def _frame(title: str, school: PageSchool, texts: Texts, again: str) -> tuple[Element, Element]:
    """Return a page and its main part; a link leads to the other language."""
    root = Element("html", lang=texts.language)
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "link", rel="icon", href="data:,")
    _text(head, "title", f"{title} · {school.name or 'filterd'}")
    _text(head, "style", _STYLE)
    body = SubElement(root, "body")
    header = SubElement(body, "header")
    _text(header, "span", school.name)
    other, named = ("vi", "Tiếng Việt") if texts.language == "en" else ("en", "English")
    if again:
        link = f"{again}{'&' if '?' in again else '?'}{urlencode({'lang': other})}"
        _text(SubElement(header, "nav"), "a", named, href=link, lang=other, hreflang=other)
    main = SubElement(body, "main")
    _text(main, "h1", title)
    footer = SubElement(body, "footer")
    line = _text(footer, "p", f"{texts('Line for children, free, day and night:')} ")
    _text(line, "a", _CHILD_LINE, href=f"tel:{_CHILD_LINE}")
    line.set("class", "small")
    return root, main


def _help_line(main: Element, texts: Texts) -> None:
    line = _text(main, "p", f"{texts('Line for children, free, day and night:')} ")
    line.set("class", "line")
    _text(SubElement(line, "strong"), "a", _CHILD_LINE, href=f"tel:{_CHILD_LINE}")


def _field(main: Element, texts: Texts) -> None:
    form = SubElement(main, "form", action="/why", method="get")
    _text(form, "label", texts("Address of the page, such as example.com")).set("for", "name")
    SubElement(
        form,
        "input",
        {
            "type": "text",
            "id": "name",
            "name": "name",
            "maxlength": "2000",
            "required": "required",
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "inputmode": "url",
        },
    )
    SubElement(form, "input", type="hidden", name="lang", value=texts.language)
    _text(form, "button", texts("Why is it closed?"))


def _review(main: Element, review: ReviewForm, texts: Texts) -> None:
    _text(main, "h2", texts("Ask the school to look at it again"))
    form = SubElement(main, "form", action="/ask", method="post")
    for name, value in (("name", review.name), ("token", review.token), ("lang", texts.language)):
        SubElement(form, "input", type="hidden", name=name, value=value)
    choices = SubElement(form, "fieldset")
    _text(choices, "legend", texts("What do you need it for?"))
    for why in words.REVIEW_REASON:
        label = SubElement(choices, "label")
        choice = {"type": "radio", "name": "why", "value": why, "required": "required"}
        SubElement(label, "input", choice).tail = texts.word(words.REVIEW_REASON, why)
    _text(
        form,
        "p",
        texts(
            "The school keeps the listed part of the address, your class, the day, the reason and"
            " how often it was asked for. Not who asked."
        ),
    ).set("class", "small")
    _text(form, "button", texts("Ask"))


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    found = SubElement(parent, tag, attributes)
    found.text = text
    return found


def _file(root: Element) -> bytes:
    text = tostring(root, encoding="unicode", method="html")
    return f"<!doctype html>\n{text}".encode("utf-8", "replace")
