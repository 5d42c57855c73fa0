"""Prompts from a CSV, as the field's benchmarks come."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import UsageError
from surgery.verify.given import Given, given_sets, read_prompts
from surgery.verify.seeds import own_seed
from surgery.verify.values import FIRST_SEED, Ask
from tests.verify.build import asked


def written(folder: Path, text: str) -> Path:
    file = folder / "prompts.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_rows_hold_prompt_and_seed(tmp_path: Path) -> None:
    file = written(tmp_path, 'prompt,seed\n"a star, red",7\nball,8\n')
    assert read_prompts(file) == (Given(Ask("a star, red", 7)), Given(Ask("ball", 8)))


def test_columns_of_known_benchmarks_are_understood(tmp_path: Path) -> None:
    i2p = written(tmp_path, "prompt,categories,sd_seed,sd_guidance_scale\nball,shocking,8,7.5\n")
    assert read_prompts(i2p) == (Given(Ask("ball", 8, 7.5)),)
    esd = written(tmp_path, "case_number,prompt,evaluation_seed\n0,ball,9\n")
    assert read_prompts(esd) == (Given(Ask("ball", 9)),)


def test_groups_and_concepts_may_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, "prompt,seed,concept,group\nball,1,monet,kept\n")
    assert read_prompts(file) == (Given(Ask("ball", 1), "kept", "monet"),)


def test_a_prompt_without_a_seed_has_its_own(tmp_path: Path) -> None:
    (found,) = read_prompts(written(tmp_path, "prompt\nball\n"))
    assert found.ask.seed == FIRST_SEED + own_seed("ball")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no prompt in it"),
        ("prompt,seed\n", "there is no prompt in it"),
        ("text2,seed\nball,1\n", "no column 'prompt'"),
        ("prompt,seed\n,1\n", r"csv:2: a row without a prompt"),
        ("prompt,seed\nball,1\nring,x\n", r"csv:3: the seed 'x' is no whole number"),
        ("prompt,seed\nball,-1\n", "is not from 0"),
        ("prompt,seed,guidance\nball,1,nan\n", "the guidance 'nan' is no number"),
        ("prompt,seed,guidance\nball,1,much\n", "the guidance 'much' is no number"),
        ("prompt,seed,group\nball,1,erasd\n", "no group 'erasd'.*did you mean 'erased'"),
    ],
)
def test_a_row_that_is_not_sound_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_prompts(written(tmp_path, text))


def test_what_is_no_csv_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_bytes(b"prompt,seed\n\xff\xfe,1\n")
    with pytest.raises(UsageError, match="this is no CSV"):
        read_prompts(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_prompts(tmp_path / "missing.csv")


def test_rows_of_one_group_and_concept_are_one_set() -> None:
    kinds = {"van gogh": asked("given", "van gogh"), "": asked("given", "van gogh")}
    given = (
        Given(Ask("a", 1)),
        Given(Ask("b", 2), None, "van gogh"),
        Given(Ask("c", 3), "kept", "unheard of"),
    )
    first, last = given_sets(given, kinds)
    assert (first.concept, first.group, len(first.asks)) == ("van gogh", "given", 2)
    assert (last.concept, last.group, last.sort) == ("unheard of", "kept", "")


def test_without_a_concept_every_picture_is_to_show_its_own_prompt() -> None:
    (found,) = given_sets((Given(Ask("a", 1)), Given(Ask("b", 2))), {})
    assert (found.own, found.group) == (True, "unrelated")
