"""T5's tokenizer gives the ids that transformers gives, and says where a subject is."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from surgery.errors import CheckpointError, EditError
from surgery.model.t5_tokens import load_t5_tokens
from surgery.tokens import Tokens

PROMPTS = ("a painting by van gogh", "r2d2", "", "A  Red ball, and a BLUE star.")


@pytest.fixture(scope="module")
def tokens(folders: dict[str, Path]) -> Tokens:
    return load_t5_tokens(folders["if"] / "tokenizer", 20)


def test_ids_are_those_of_transformers(tokens: Tokens, folders: dict[str, Path]) -> None:
    theirs = AutoTokenizer.from_pretrained(folders["if"] / "tokenizer")
    for prompt in PROMPTS:
        said = theirs(prompt.lower().strip(), padding="max_length", max_length=20)
        assert tokens.padded(prompt) == tuple(said.input_ids)
        assert tokens.eos_position(prompt) == sum(said.attention_mask) - 1


def test_a_subject_is_found_where_it_occurs_last(tokens: Tokens) -> None:
    ids = tokens.encode("a painting of a flag by Van Gogh")
    first, last = tokens.subject_span("a painting of a flag by Van Gogh", "van gogh")
    assert (first, last) == (len(ids) - 3, len(ids) - 2)
    assert tokens.subject_span("a flag a", "a") == (2, 2)
    assert tokens.subject_span("a flag", "a") == (0, 0)


def test_a_subject_that_is_not_there_is_refused(tokens: Tokens) -> None:
    with pytest.raises(EditError, match="'monet' is not in the prompt"):
        tokens.subject_span("a flag", "monet")
    with pytest.raises(EditError, match="has no token"):
        tokens.subject_span("a flag", " ")


def test_a_prompt_that_is_too_long_is_refused(tokens: Tokens) -> None:
    assert tokens.fits("red " * 19) and not tokens.fits("red " * 20)
    with pytest.raises(EditError, match="has 21 tokens, end included, and the model reads 20"):
        tokens.encode("red " * 20)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json and no spiece\.model"):
        load_t5_tokens(tmp_path, 77)
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_t5_tokens(tmp_path, 77)
