"""Whatever enters an element is escaped, once."""

from __future__ import annotations

from surgery.pages.html import Html, el, style, unbroken


def test_text_is_escaped_and_markup_is_not() -> None:
    assert el("p", "a < b", el("b", "c & d")) == "<p>a &lt; b<b>c &amp; d</b></p>"


def test_attributes_are_escaped_and_named_as_html_names_them() -> None:
    made = el("i", cls='"x"', aria_label="a'b", hidden=True, role=None, open=False, tabindex=0)
    assert made == '<i class="&quot;x&quot;" aria-label="a&#x27;b" hidden tabindex="0"></i>'


def test_control_characters_are_made_visible() -> None:
    assert el("p", "a\x1b[2J\u202e") == "<p>a\\u001b[2J\\u202e</p>"


def test_elements_without_content_have_no_end() -> None:
    assert el("img", alt="x") == '<img alt="x">'


def test_children_may_be_nested_and_absent() -> None:
    assert el("ul", [[el("li", "a")], None], (el("li", "b"),)) == "<ul><li>a</li><li>b</li></ul>"


def test_markup_stays_markup_when_it_is_put_into_more() -> None:
    inner = Html("<b>x</b>")
    assert el("p", [inner]) == "<p><b>x</b></p>"


def test_figures_become_custom_properties() -> None:
    assert style(e=0.25, lo=0) == "--e:0.25;--lo:0"


def test_a_percent_sign_stays_with_its_figure() -> None:
    assert unbroken("97 % or more") == "97\u00a0% or more"
