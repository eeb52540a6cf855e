# SPDX-License-Identifier: Apache-2.0
"""Tags of a template: what they print, and what they may not do."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment

from filterd.base.errors import ConfigError
from filterd.reports import template_sandbox
from filterd.reports.template_sandbox import TemplateFields, TemplateSandbox, TemplateValues


def _sandbox(values: TemplateValues | None = None, **more: str) -> TemplateSandbox:
    values = values or TemplateValues("vi")
    rows = values.rows([values.rows([values.text("6A"), values.cell(1200)])] * 3)
    figures = {"days_in_service": values.cell(62), "share": values.cell(0.5)}
    fields: dict[str, Any] = {
        "school": values.text("Trường <A> & B"),
        "rows": rows,
        "figures": TemplateFields("figures", figures),
    }
    return TemplateSandbox(fields | {name: values.text(text) for name, text in more.items()})


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("{{ school }}", "Trường &lt;A&gt; &amp; B"),
        ("{{ school | upper }}", "TRƯỜNG &lt;A&gt; &amp; B"),
        ("{{ figures.days_in_service }} {{ figures.share }}", "62 0,5"),
        (
            "{% for row in rows %}{{ loop.index }}:{{ row[1] }} {% endfor %}",
            "1:1.200 2:1.200 3:1.200 ",
        ),
        ("{% if figures.days_in_service > 60 %}yes{% else %}no{% endif %}", "yes"),
        ("{% if figures.other is defined %}yes{% else %}no{% endif %}", "no"),
    ],
)
def test_a_tag_prints_repeats_and_chooses(source: str, filled: str) -> None:
    assert _sandbox().fill(source) == filled


def test_a_value_is_text_and_never_markup_or_a_tag() -> None:
    hostile = "<w:p/>{{ school }}{% for x in rows %}\x07\x0c\x00]]>'\""
    filled = _sandbox(hostile=hostile).fill("{{ hostile }}")
    assert filled == "&lt;w:p/&gt;{{ school }}{% for x in rows %}]]&gt;&#39;&#34;"


def test_control_without_escaping_a_value_becomes_markup() -> None:
    sandbox = _sandbox(hostile="<w:altChunk/>")
    sandbox._environment.autoescape = False
    assert sandbox.fill("{{ hostile }}") == "<w:altChunk/>"


def test_what_is_printed_is_noted_in_order() -> None:
    values = TemplateValues("en")
    _sandbox(values).fill("{{ figures.days_in_service }}{{ rows[0][1] }}{{ school | upper }}")
    assert values.printed == ["62", "1,200", "TRƯỜNG <A> & B"]


REACHING = [
    "{{ ''.__class__ }}",
    "{{ school.__class__.__mro__ }}",
    "{{ school.printed }}",
    "{{ school['__init__'] }}",
    "{{ rows._values }}",
    "{{ figures.values }}",
    "{{ figures.__init__.__globals__ }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{% for row in rows %}{{ loop.__init__ }}{% endfor %}",
    "{% for row in rows %}{{ loop.cycle('a') }}{% endfor %}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ school.format() }}",
    "{{ '{0.__class__}'.format(school) }}",
    "{{ '%999999999s' % school }}",
    "{{ 'a' * 999999999 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ school | attr('__class__') }}",
    "{{ school | format }}",
    "{{ school | safe }}",
    "{{ '<w:altChunk/>' | safe }}",
    "{{ rows | map(attribute='x') }}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% include '/etc/passwd' %}",
    "{% extends 'x' %}",
    "{% block b %}{% endblock %}",
    "{% set x = 1 %}",
    "{% set x %}<w:p/>{% endset %}",
    "{% macro m() %}{% endmacro %}",
    "{% call school() %}{% endcall %}",
    "{% filter upper %}{% endfilter %}",
    "{% with x = 1 %}{% endwith %}",
    "{% autoescape false %}{{ school }}{% endautoescape %}",
    "{% for x in rows recursive %}{{ loop(x) }}{% endfor %}",
    "{% for x in [1, 2, 3] %}{% endfor %}",
    "{% for x in range(10) %}{% endfor %}",
    "{% for x in 'abc' %}{% endfor %}",
    "{{ rows[0:2] }}",
    "{{ rows }}",
    "{{ figures }}",
    "{{ rows[9] }}",
    "{{ 1 / 0 }}",
    "{{ school < 3 }}",
    "{{ school",
    "{% for x in rows %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "9" * 9999 + " }}",
]


@pytest.mark.parametrize("source", REACHING, ids=lambda source: source[:50])
def test_a_tag_that_does_more_is_refused_in_one_line(source: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _sandbox().fill(source)
    assert "\n" not in str(raised.value)


def test_control_jinja_alone_reaches_python() -> None:
    template = Environment(autoescape=True).from_string("{{ ''.__class__.__mro__[1] }}")
    assert "object" in template.render()


def test_a_field_that_does_not_exist_is_named_with_the_nearest_and_its_paragraph() -> None:
    source = "<w:p>ok</w:p>\n<w:p><w:t>Số ngày &amp; đêm: {{ figures.days_in_servce }}</w:t></w:p>"
    with pytest.raises(ConfigError) as raised:
        _sandbox().fill(source)
    assert "no field 'figures.days_in_servce' (did you mean 'days_in_service'?)" in str(
        raised.value
    )
    assert "in the paragraph: Số ngày & đêm: {{ figures.days_in_servce }}" in raised.value.hint
    with pytest.raises(ConfigError, match=r"no field 'schol' \(did you mean 'school'\?\)"):
        _sandbox().fill("{% if figures.share > 2 %}{{ schol }}{% endif %}")


LOOPS = (
    "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% for d in rows %}"
    "{{ school }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
)


def test_loops_are_bounded_in_depth_rounds_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _sandbox().fill(LOOPS).count("Trường") == 81
    with pytest.raises(ConfigError, match="at most 4 loops"):
        _sandbox().fill("{% for e in rows %}" + LOOPS + "{% endfor %}")
    with monkeypatch.context() as patch:
        patch.setattr(template_sandbox, "MOST_ROUNDS", 119)
        with pytest.raises(ConfigError, match="repeats too much"):
            _sandbox().fill(LOOPS)
        patch.setattr(template_sandbox, "MOST_ROUNDS", 120)
        _sandbox().fill(LOOPS)
    monkeypatch.setattr(template_sandbox, "MOST_CHARACTERS", 1000)
    with pytest.raises(ConfigError, match="repeats too much"):
        _sandbox().fill(LOOPS)


def test_control_without_the_list_of_what_is_allowed_a_tag_multiplies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(template_sandbox, "_unsafe", lambda _: "")
    assert len(_sandbox().fill("{{ 'a' * 99999 }}")) == 99_999
