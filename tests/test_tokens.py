from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from surgery.edits.base import Ask, Asks
from surgery.errors import CheckpointError, EditError
from surgery.tokens import Tokens, load_tokens, spots
from surgery.tokens.pairs import BEGIN, END, SPLIT

CORPUS = [
    "a painting in the style of van gogh",
    "a photo of a red ball and a painting by monet",
    "Vincent van Gogh's starry night, 4k, 1889",
    "the flag of freedonia and the artist's art",
    "an image of r2d2 in the style of seurat",
] * 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small CLIP vocabulary, as vocab.json and merges.txt."""
    where = tmp_path_factory.mktemp("tokenizer")
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["!", BEGIN, END, *letters],
        initial_alphabet=letters,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    for letter in letters:
        model["vocab"].setdefault(f"{letter}</w>", len(model["vocab"]))
    (where / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (where / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return where


@pytest.fixture(scope="module")
def tokens(folder: Path) -> Tokens:
    return load_tokens(folder, max_length=24)


TEXTS = [
    "",
    "van gogh",
    "A Painting in the STYLE of Van  Gogh",
    "r2d2, the artist's r2-d2!!",
    "caf\u00e9 \u2014 cafe\u0301 \u6c34 \U0001f600",
    "don't we'll they've 1234",
    "  spaces\tand\nlines  ",
]


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_transformers(folder: Path, text: str) -> None:
    from transformers import CLIPTokenizer

    theirs = CLIPTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    assert load_tokens(folder).encode(text) == tuple(theirs(text)["input_ids"])


def test_a_saved_tokenizer_json_gives_the_same_ids(folder: Path, tmp_path: Path) -> None:
    from transformers import CLIPTokenizer

    theirs = CLIPTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), pad_token="!"
    )
    theirs.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.json").exists()
    ours = load_tokens(tmp_path)
    for text in TEXTS:
        padded = theirs(text, padding="max_length", max_length=77)["input_ids"]
        assert ours.padded(text) == tuple(padded)


def test_padding_is_the_end_token_unless_said_otherwise(folder: Path, tokens: Tokens) -> None:
    assert tokens.padded("")[1:] == (tokens.end,) * 23
    assert load_tokens(folder, pad=0).padded("")[2:] == (0,) * 75


def test_a_subject_is_found_by_its_tokens_wherever_it_stands(tokens: Tokens) -> None:
    ids = tokens.encode("the style of Van Gogh in a photo")
    first, last = tokens.subject_span("the style of Van Gogh in a photo", "van gogh")
    assert ids[first : last + 1] == tokens.encode("van gogh")[1:-1]
    assert (first, last) == (4, 5)
    assert tokens.subject_span("van gogh", "VAN GOGH")[1] == tokens.eos_position("van gogh") - 1


def test_the_last_of_several_occurrences_counts(tokens: Tokens) -> None:
    assert tokens.subject_span("a photo of a photo", "photo") == (5, 5)


@pytest.mark.parametrize("subject", ["art", "gogh van", "photo"])
def test_a_part_of_a_word_or_another_order_is_not_the_subject(tokens: Tokens, subject: str) -> None:
    with pytest.raises(EditError, match=f"'{subject}' is not in the prompt 'artist van gogh'"):
        tokens.subject_span("artist van gogh", subject)


@pytest.mark.parametrize("subject", ["", "  "])
def test_an_empty_subject_is_an_error_and_never_the_begin_token(
    tokens: Tokens, subject: str
) -> None:
    with pytest.raises(EditError, match="has no token"):
        tokens.subject_span("", subject)
    with pytest.raises(EditError, match="is not in the prompt ''"):
        tokens.subject_span("", "photo")


def test_a_prompt_beyond_the_limit_is_an_error_that_names_it(tokens: Tokens) -> None:
    fits = " ".join(["photo"] * 22)
    assert len(tokens.encode(fits)) == 24
    with pytest.raises(EditError, match=r"photo photo' has 25 tokens.* reads 24; shorten it"):
        tokens.encode(f"{fits} photo")


def test_each_position_names_its_places(tokens: Tokens) -> None:
    def places(prompt: str, subject: str | None, position: str) -> list[int]:
        return [len(p) - 1 for p in tokens.prefixes(Ask(prompt, subject, position))]

    assert places("photo of monet", "photo", "subject") == [1]
    assert places("photo of monet", None, "bos") == [0]
    assert places("photo of monet", None, "eos") == [4]
    assert places("photo of monet", None, "pads") == list(range(5, 24))
    assert places("photo of monet", None, "final") == [23]
    assert places("photo of monet", None, "prompt") == [0, 1, 2, 3, 4]
    assert places("photo of monet", "of", "all") == list(range(2, 24))
    assert places("", None, "prompt") == [0, 1]


def test_a_prefix_holds_all_ids_up_to_its_place(tokens: Tokens) -> None:
    (prefix,) = tokens.prefixes(Ask("a photo of monet", "photo", "subject"))
    assert prefix == tokens.encode("a photo")[:-1]


def test_a_subject_position_without_a_subject_is_an_error(tokens: Tokens) -> None:
    with pytest.raises(EditError, match="without a subject"):
        tokens.prefixes(Ask("a photo", None, "subject"))


def test_aligned_places_pair_up_and_the_last_target_place_serves_the_rest(tokens: Tokens) -> None:
    source, target = Ask("monet", "monet", "pads"), Ask("van gogh", "van gogh", "pads")
    found = spots(Asks(edited=((source, target),)), tokens)
    assert [len(key) - 1 for key in found.keys] == list(range(3, 24))
    assert [len(goal) - 1 for goal in found.targets] == [*range(4, 24), 23]


def test_all_places_are_aligned_at_the_last_token_of_the_subject(tokens: Tokens) -> None:
    short, long = Ask("monet", "monet", "all"), Ask("a van gogh photo", "van gogh", "all")
    there = spots(Asks(edited=((long, short),)), tokens)
    assert [len(key) - 1 for key in there.keys] == list(range(2, 24))
    assert [len(goal) - 1 for goal in there.targets] == [1, *range(1, 22)]
    back = spots(Asks(edited=((short, long),)), tokens)
    assert [len(key) - 1 for key in back.keys] == list(range(1, 24))
    assert [len(goal) - 1 for goal in back.targets] == [*range(3, 24), 23, 23]


def test_a_target_prompt_without_room_for_pads_gives_its_end(tokens: Tokens) -> None:
    full = " ".join(["photo"] * 22)
    pair = Ask("monet", "monet", "pads"), Ask(full, "photo", "pads")
    assert set(spots(Asks(edited=(pair,)), tokens).targets) == {tokens.encode(full)}


def test_a_preserved_place_is_kept_once_and_never_where_the_edit_is(tokens: Tokens) -> None:
    edited = (Ask("van gogh", "van gogh", "subject"), Ask("painting", "painting", "subject"))
    held = (
        Ask("van gogh", None, "prompt"),
        Ask("van photo", None, "prompt"),
        Ask("", None, "bos", 3.0),
    )
    found = spots(Asks(edited=(edited,), preserve=held), tokens)
    assert found.keys == (tokens.encode("van gogh")[:-1],)
    assert not set(found.keys) & set(found.preserve)
    assert len(set(found.preserve)) == len(found.preserve) == 5
    assert found.key_labels == ("van gogh",)
    assert found.preserve_labels == ("van gogh",) * 3 + ("van photo",) * 2
    assert found.preserve_weights == (1.0,) * 5


def test_an_optional_prompt_beyond_the_limit_is_left_out_and_another_is_an_error(
    tokens: Tokens,
) -> None:
    long = " ".join(["photo"] * 23)
    edited = ((Ask("monet", "monet", "subject"), Ask("painting", "painting", "subject")),)
    assert spots(Asks(edited, (Ask(long, None, "prompt", optional=True),)), tokens).preserve == ()
    with pytest.raises(EditError, match="25 tokens"):
        spots(Asks(edited, (Ask(long, None, "prompt"),)), tokens)


def test_states_come_back_as_keys_targets_and_preserve_keys(tokens: Tokens) -> None:
    edited = (Ask("monet", "monet", "subject", 2.0), Ask("painting", "painting", "subject"))
    found = spots(Asks((edited,), (Ask("", None, "prompt"),)), tokens)
    context = found.context(np.arange(8.0).reshape(4, 2))
    assert len(found.prefixes) == 4
    np.testing.assert_array_equal(context.keys, [[0, 1]])
    np.testing.assert_array_equal(context.targets, [[2, 3]])
    np.testing.assert_array_equal(context.preserve, [[4, 5], [6, 7]])
    np.testing.assert_array_equal(context.key_weights, [2])
    assert context.preserve_labels == ("the empty prompt",) * 2


def write(folder: Path, vocabulary: object, merges: object) -> Path:
    model = {"type": "BPE", "vocab": vocabulary, "merges": merges}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model}))
    return folder


GOOD = {BEGIN: 0, END: 1, "a": 2, "a</w>": 3, "aa</w>": 4}


def test_merges_may_be_written_as_text_or_as_pairs(tmp_path: Path) -> None:
    as_text = load_tokens(write(tmp_path, GOOD, ["a a</w>"])).encode("aa a")
    as_pairs = load_tokens(write(tmp_path, GOOD, [["a", "a</w>"]])).encode("aa a")
    assert as_text == as_pairs == (0, 4, 3, 1)


@pytest.mark.parametrize(
    ("vocabulary", "merges", "what"),
    [
        ({"a</w>": 0}, [], "not a CLIP tokenizer"),
        ({BEGIN: 0, END: 1, "a": 2}, [], "not a CLIP tokenizer"),
        (GOOD, ["a b"], "the merge 'a' [+] 'b' is not in the vocabulary"),
        (GOOD | {"b": -1}, [], "no vocabulary"),
        (GOOD | {"b": "2"}, [], "no vocabulary"),
        ([["a", 0.5]], [], "no vocabulary"),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(
    tmp_path: Path, vocabulary: object, merges: object, what: str
) -> None:
    with pytest.raises(CheckpointError, match=what):
        load_tokens(write(tmp_path, vocabulary, merges))


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json and no vocab\.json"):
        load_tokens(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: not valid JSON"):
        load_tokens(tmp_path)
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(CheckpointError, match="no model in it"):
        load_tokens(tmp_path)
