"""Names with numbers: looked up exactly, ordered as numbers, gaps found."""

from __future__ import annotations

import pytest

from surgery.layouts.names import Index, gap, shown, split


def test_numbers_are_ordered_as_numbers() -> None:
    index = Index(f"output_blocks.{i}.1.to_k.weight" for i in (10, 9, 11, 3))
    found = index.find("output_blocks.{*}.1.to_k.weight")
    assert list(found) == [(3,), (9,), (10,), (11,)]


def test_a_number_written_out_must_be_that_number() -> None:
    index = Index(["net.0.weight", "net.2.weight"])
    assert index.find("net.2.weight") == {(): "net.2.weight"}
    assert index.find("net.1.weight") == {}


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
    ],
)
def test_gaps_are_found_where_numbers_count(
    pattern: str, numbers: list[tuple[int, ...]], missing: tuple[int, ...] | None
) -> None:
    assert gap(pattern, numbers) == missing


def test_names_are_shown_escaped() -> None:
    assert shown("a\x1b[31m\u202e.b") == "a\\x1b[31m\\u202e.b"
