"""The package's ids are those of transformers' CLIPTokenizer, built from the same vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.edits.preserve import ARTISTS, CAPTIONS, FACTS, OBJECTS
from surgery.edits.templates import TEMPLATES
from surgery.errors import EditError
from surgery.tokens import Tokens
from surgery.tokens.packaged import SIZE, is_packaged, packaged_tokens

pytest.importorskip("instant_clip_tokenizer")
from tests.helpers.clip_vocabulary import merges, vocabulary

TEXTS = [
    "",
    "  spaces\tand\nlines \u3000 ",
    "Van Gogh, r2-d2!! 1889 can't we'll THEY'VE",
    "caf\u00e9 cafe\u0301 \u6c34\u5f69 \U0001f600 \u0130stanbul \u03a3\u03a3 \ufb01ne \u216b",
    "a<|endoftext|>b <|startoftext|> c",
    "a photo! of ! a cat!!",
    "\x00\x1f\x85\u200b\u2028 & &amp; <b>",
    *ARTISTS,
    *OBJECTS,
    *FACTS,
    *CAPTIONS,
    *(template.format("Vincent van Gogh") for kind in TEMPLATES.values() for template in kind),
]
LETTERS = st.one_of(
    st.sampled_from(list("abcdefgstvmrlSTVEMRLD' \t\n!?.,-_0123<|>éÉßİıſΣς\u0301\u200d水漢가😀")),
    st.characters(exclude_categories=["Cs", "Cn"]),
)


@pytest.fixture(scope="module", params=["<|endoftext|>", "!"])
def theirs(request: pytest.FixtureRequest):
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=vocabulary(), merges=merges(), pad_token=request.param)


def test_the_vocabulary_has_its_published_size() -> None:
    assert len(vocabulary()) == SIZE
    assert is_packaged()


@pytest.fixture(scope="module")
def ours(theirs) -> Tokens:
    return packaged_tokens(pad_word=theirs.pad_token)


def test_ids_are_those_of_transformers(theirs, ours: Tokens) -> None:
    for text in TEXTS:
        wanted = theirs(text, padding="max_length", max_length=77)["input_ids"]
        assert ours.padded(text) == tuple(wanted), text


@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=st.text(LETTERS, max_size=12))
def test_any_text_has_the_ids_of_transformers(theirs, ours: Tokens, text: str) -> None:
    assert ours.encode(text) == tuple(theirs(text)["input_ids"])


def test_a_special_token_in_capitals_is_refused() -> None:
    with pytest.raises(EditError, match="special token in capitals"):
        packaged_tokens().encode("a <|ENDOFTEXT|> b")


def test_a_character_that_unicode_does_not_define_is_refused() -> None:
    with pytest.raises(EditError, match="not defined"):
        packaged_tokens().encode("a \U000e0fff b")


def test_a_cached_vocabulary_gives_the_same_ids(tmp_path: Path) -> None:
    from surgery.tokens import load_tokens
    from tests.bench.single_file import write_clip

    write_clip(tmp_path / "tokenizer")
    from_files, packaged = load_tokens(tmp_path / "tokenizer"), packaged_tokens()
    for text in TEXTS:
        assert from_files.padded(text) == packaged.padded(text), text
