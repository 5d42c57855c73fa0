"""Rows, sets and tiny models for the tests of verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from surgery.report.verify import Group, Marks, Row, SetFigures
from surgery.verify.tally import set_figures
from surgery.verify.values import Ask, PromptSet


def rows(
    group: Group, concept: str, before: Sequence[bool | None], after: Sequence[bool | None]
) -> list[Row]:
    """One row for each pair of answers, every one of a prompt and a seed of its own."""
    return [
        Row(group, concept, f"{concept} {number}", number, Marks(one, two))
        for number, (one, two) in enumerate(zip(before, after, strict=True))
    ]


def shown(group: Group, concept: str, before: int, after: int, count: int) -> list[Row]:
    """So many of `count` pictures show the concept; the same ones first."""
    return rows(
        group,
        concept,
        [number < before for number in range(count)],
        [number < after for number in range(count)],
    )


def marked(group: Group, concept: str, **marks: Sequence[float | bool | str]) -> list[Row]:
    """Rows with other marks, each a list over the pairs."""
    many = [dict(zip(marks, row, strict=True)) for row in zip(*marks.values(), strict=True)]
    plain = rows(group, concept, [None] * len(many), [None] * len(many))
    return [
        replace(row, marks=replace(row.marks, **one))  # type: ignore[arg-type]
        for row, one in zip(plain, many, strict=True)
    ]


def figures(found: Sequence[Row], sort: str = "style") -> SetFigures:
    return set_figures(asked(found[0].group, found[0].concept, sort), found)


def asked(group: Group, concept: str, sort: str = "style", *prompts: str) -> PromptSet:
    """A set of these prompts, seeds counted from 1."""
    asks = tuple(Ask(prompt, number) for number, prompt in enumerate(prompts, start=1))
    return PromptSet(group, concept, sort, asks, target="painting", others=("monet", "painting"))
