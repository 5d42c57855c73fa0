"""Words of others as Markdown render as themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from surgery.card.markdown import block, code, plain, table

WORDS = [
    "a",
    "`",
    "``x``",
    "<b>",
    "&lt;",
    "|",
    "[x](y)",
    "![i](j)",
    "*s*",
    "_u_",
    "# h",
    "\\",
    "~",
    "$x$",
]


def tokens(text: str) -> set[str]:
    found = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text)
    return {one.type for token in found for one in (token, *(token.children or []))}


@given(st.lists(st.sampled_from([*WORDS, " ", "\n", "http://a.b", "\x1b", "1."]), max_size=8))
def test_any_text_is_one_paragraph_of_text(parts: list[str]) -> None:
    made = plain("x" + "".join(parts))
    assert tokens(made) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert "\n" not in made
    assert "http:" not in made


@given(st.lists(st.sampled_from([*WORDS, " ", "\n"]), min_size=1, max_size=8))
def test_any_name_stays_in_its_cell(parts: list[str]) -> None:
    made = table(("a", "b"), [(code("".join(parts)), "end")])
    assert MarkdownIt("commonmark").enable("table").render(made).count("<td>") == 2
    assert not {"html_inline", "html_block", "link_open", "image"} & tokens(made)


@pytest.mark.parametrize("text", ["a\n```\nb", "````", "~~~"])
def test_a_block_ends_where_it_should(text: str) -> None:
    rendered = MarkdownIt("commonmark").render(block(text, "yaml") + "\n\nafter")
    assert rendered.endswith("<p>after</p>\n")
