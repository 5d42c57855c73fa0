from __future__ import annotations

from surgery.cli.scatter import Mark, scatter

NAMES = ("drift", "leak")


def test_the_plot_fits_a_hundred_columns() -> None:
    lines = scatter([Mark(1.0, 1.0, "o"), Mark(0, 0, "x")], (1.0, 1.0), NAMES)
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 22


def test_points_stand_where_their_figures_say() -> None:
    lines = scatter([Mark(0, 0, "x"), Mark(1.0, 1.0, "o")], (1.0, 1.0), NAMES)
    body = [line for line in lines if "│" in line or "┤" in line]
    assert body[0].endswith("o") and body[0].startswith("    1 ┤")
    assert body[-1] == "    0 ┤x"


def test_the_last_of_several_in_one_place_is_seen() -> None:
    lines = scatter([Mark(0.5, 0.5, "."), Mark(0.5, 0.5, "@")], (1.0, 1.0), NAMES)
    assert "@" in "".join(lines) and "." not in "".join(lines).replace("0.5", "")


def test_what_lies_beyond_the_reach_is_left_out() -> None:
    assert "o" not in "".join(scatter([Mark(2.0, 0.5, "o")], (1.0, 1.0), ("x", "y")))


def test_a_narrow_terminal_gets_a_narrow_plot() -> None:
    lines = scatter([Mark(1.0, 1.0, "o"), Mark(0, 0, "x")], (1.0, 1.0), NAMES, 70)
    assert max(map(len, lines)) <= 70
    assert "o" in lines[1]


def test_a_long_figure_does_not_move_the_axis() -> None:
    lines = scatter([Mark(0.1, 0.1, "o")], (1.0, 0.175), NAMES)
    assert {line.index("┤") for line in lines if "┤" in line} == {6}
