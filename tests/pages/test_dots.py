"""A chart puts each figure where its axis has it, and says it in words."""

from __future__ import annotations

import re

import pytest

from surgery.pages.dots import Axis, Dot, Line, chart, key

SHARES = Axis("pictures", 0, 1, ("0 %", "100 %"))


@pytest.mark.parametrize(("value", "place"), [(0, 0), (0.25, 25), (1, 100), (-1, 0), (3, 100)])
def test_a_value_stands_on_its_axis_or_at_its_end(value: float, place: float) -> None:
    assert SHARES.place(value) == place


def test_an_axis_may_begin_anywhere_and_be_empty() -> None:
    assert Axis("", 20, 30, ("", "")).place(22.5) == 25
    assert Axis("", 5, 5, ("", "")).place(5) == 0


def test_a_row_has_its_dots_their_intervals_and_the_way_between_them() -> None:
    dots = Dot(1, 0.9, 1, "then"), Dot(0.25, 0.2, 0.5)
    text = chart(SHARES, [Line("x", "note", dots, "100 → 25", "from 100 to 25")])
    assert re.findall(r'<circle cx="([\d.]+)%"[^>]* class="(\w+)"', text) == [
        ("100", "then"),
        ("25", "now"),
    ]
    assert '<line y1="17" y2="17" class="way" x1="100%" x2="25%">' in text
    assert 'class="interval now" x1="20%" x2="50%"' in text
    assert 'aria-label="x: from 100 to 25"' in text


def test_an_interval_of_no_width_is_not_drawn() -> None:
    text = chart(SHARES, [Line("x", "", (Dot(0.5, 0.5, 0.5),), "", "")])
    assert "interval" not in text
    assert "way" not in text


@pytest.mark.parametrize(
    ("look", "sign"), [("most", "<line"), ("back", "<rect"), ("now", "<circle")]
)
def test_each_look_has_a_sign_of_its_own(look: str, sign: str) -> None:
    text = chart(SHARES, [Line("x", "", (Dot(0.5, 0.5, 0.5, look),), "", "")])  # type: ignore[arg-type]
    assert re.search(rf'{sign} [^>]*class="{look}"', text)


def test_a_row_that_passed_or_missed_says_so_in_its_look() -> None:
    looks = [chart(SHARES, [Line("x", "", (), "", "", look)]) for look in ("good", "bad", "")]
    assert ["good-row" in looks[0], "bad-row" in looks[1], "-row" in looks[2]] == [
        True,
        True,
        False,
    ]


def test_names_are_escaped_where_they_are_seen_and_where_they_are_said() -> None:
    text = chart(SHARES, [Line('"<x>', "", (), "", "")])
    assert "<x>" not in text
    assert "&quot;&lt;x&gt;" in text


def test_a_key_shows_an_interval_only_where_it_is_one() -> None:
    assert "interval" in key(("now", True, "after"))
    assert "interval" not in key(("now", False, "after"))
