"""The ids of a text are those of transformers' CLIPTokenizer, letter for letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.errors import EditError
from surgery.tokens import Tokens, load_tokens
from surgery.tokens.pairs import BEGIN, END, LONGEST_WORD

pytest.importorskip("instant_clip_tokenizer")
from tests.helpers.clip_vocabulary import merges, vocabulary

LETTERS = st.one_of(
    st.sampled_from(list("abcdefgstvmrlSTVEMRLD' \t\n!?.,-_0123<|>éÉßİıſΣς\u0301\u200d水漢가😀")),
    st.sampled_from([BEGIN, END, "<|ENDOFTEXT|>", "  ", "painting", "aaa", "...", "\u3000"]),
    st.characters(exclude_categories=["Cs"]),
)


@pytest.fixture(scope="module", params=[END, "!"])
def theirs(request: pytest.FixtureRequest):
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=vocabulary(), merges=merges(), pad_token=request.param)


@pytest.fixture(scope="module")
def ours(theirs, tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    folder: Path = tmp_path_factory.mktemp("clip")
    (folder / "vocab.json").write_text(json.dumps(vocabulary()))
    lines = ["#version: 0.2", *map(" ".join, merges())]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    return load_tokens(folder, max_length=10_000, pad_word=theirs.pad_token)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(text=st.lists(LETTERS, max_size=14).map("".join))
def test_any_text_has_the_ids_of_transformers(theirs, ours: Tokens, text: str) -> None:
    assert ours.encode(text) == tuple(theirs(text)["input_ids"])


@pytest.mark.parametrize("text", ["a" * LONGEST_WORD, "-=" * 300, "antidisestablishmentarianism"])
def test_long_words_are_merged_alike(theirs, ours: Tokens, text: str) -> None:
    assert ours.encode(text) == tuple(theirs(text)["input_ids"])


def test_a_word_too_long_to_be_one_is_refused(ours: Tokens) -> None:
    with pytest.raises(EditError, match=r"a word of 1,001 letters.*shorten it"):
        ours.encode("a" * 1001)
