"""Names with numbers: looked up exactly, ordered as numbers, gaps found."""

from __future__ import annotations

import pytest

from surgery.layouts.names import Index, filled, gap, shown, split


def test_numbers_are_ordered_as_numbers() -> None:
    index = Index(f"output_blocks.{i}.1.to_k.weight" for i in (10, 9, 11, 3))
    found = index.find("output_blocks.{*}.1.to_k.weight")
    assert list(found) == [(3,), (9,), (10,), (11,)]


def test_a_number_written_out_must_be_that_number() -> None:
    index = Index(["net.0.weight", "net.2.weight"])
    assert index.find("net.2.weight") == {(): "net.2.weight"}
    assert index.find("net.1.weight") == {}


def test_a_choice_of_words_runs_in_the_order_of_the_words_within_what_stands_before_it() -> None:
    names = [f"up.{i}.{word}.{n}.w" for word, n in (("b", 0), ("a", 1), ("a", 0)) for i in (1, 0)]
    found = Index(names).find("up.{*}.{a,b}.{n}.w")
    assert list(found) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 0)]
    assert list(found.values()) == sorted(names)


def test_numbers_put_into_holes_give_the_name_they_were_read_from() -> None:
    for pattern in ("up.{*}.{a,b}.{n}.w", "up.1.{b,a}.{*}.w", "up.1.b.0.w"):
        for numbers, name in Index(["up.1.b.0.w"]).find(pattern).items():
            assert filled(pattern, numbers) == name


def test_holes_without_a_number_stay() -> None:
    assert filled("up.{*}.{a,b}.{n}.w", (3, 1)) == "up.3.b.{n}.w"


@pytest.mark.parametrize("name", ["a.01.b", "a.1234567.b", "a.².b", "a.٣.b", "a.-1.b"])
def test_only_plain_numbers_are_numbers(name: str) -> None:
    assert split(name) == (name, ())


def test_no_two_names_are_one() -> None:
    assert split("a.#.b") != split("a.1.b")
    assert Index(["a.#.b"]).find("a.{n}.b") == {}


@pytest.mark.parametrize(
    ("pattern", "numbers", "missing"),
    [
        ("l.{n}", [(0,), (1,)], None),
        ("l.{n}", [(0,), (2,)], (1,)),
        ("l.{n}", [(1,)], (0,)),
        ("l.{*}", [(1,), (4,)], None),
        ("b.{*}.l.{n}", [(1, 0), (3, 0), (3, 1)], None),
        ("b.{*}.l.{n}", [(1, 0), (3, 1)], (3, 0)),
        ("b.{x,y}.{n}", [(0, 0), (1, 0)], None),
        ("b.{x,y}.{n}", [(0, 0), (1, 1)], (1, 0)),
    ],
)
def test_gaps_are_found_where_numbers_count(
    pattern: str, numbers: list[tuple[int, ...]], missing: tuple[int, ...] | None
) -> None:
    assert gap(pattern, numbers) == missing


def test_names_are_shown_escaped() -> None:
    assert shown("a\x1b[31m\u202e.b") == "a\\x1b[31m\\u202e.b"
