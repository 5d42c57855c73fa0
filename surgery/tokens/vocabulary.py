"""Reads a CLIP tokenizer from its files, checked before it is used.

A file is read for its vocabulary and merges only; CLIP's own rules for splitting text are here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import CheckpointError
from surgery.store.text import visible
from surgery.tokens.prompts import Tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
# Radford et al. 2021, the reference tokenizer of CLIP; the same expression in every published one.
SPLIT = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
CLIP_LENGTH = 77


def load_tokens(
    folder: Path,
    *,
    max_length: int = CLIP_LENGTH,
    pad: int | None = None,
    pad_word: str | None = None,
) -> Tokens:
    """Read a CLIP tokenizer from `tokenizer.json`, or from `vocab.json` and `merges.txt`.

    Args:
        folder: where the files are.
        max_length: the most tokens the text tower reads.
        pad: id of the padding token; left out, that of `pad_word`.
        pad_word: the padding token; left out, what the folder says, else the end token.

    Raises:
        CheckpointError: the files are missing or do not hold a CLIP vocabulary.
    """
    vocabulary, merges, where = _read(folder)
    _check(vocabulary, merges, where)
    word = _pad_word(folder, vocabulary) if pad_word is None else pad_word
    if word not in vocabulary:
        raise CheckpointError(f"no {visible(word)} in the vocabulary, which pads", where=where)
    chosen = vocabulary[word] if pad is None else pad
    tokenizer = _tokenizer(vocabulary, merges)
    # A padding token is cut out of text before words are, also where it is a plain "!".
    tokenizer.add_special_tokens([BEGIN, END, word])

    @cache
    def split(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

    return Tokens(split, vocabulary[BEGIN], vocabulary[END], chosen, max_length)


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds the files that `load_tokens` reads."""
    parts = ("vocab.json", "merges.txt")
    return (folder / "tokenizer.json").is_file() or all((folder / one).is_file() for one in parts)


def _tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token=END, end_of_word_suffix=WORD_END)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def _pad_word(folder: Path, vocabulary: Mapping[str, int]) -> str:
    named = _json(folder / "tokenizer_config.json").get("pad_token", END)
    word = named.get("content") if isinstance(named, Mapping) else named
    return word if isinstance(word, str) and word in vocabulary else END


def _read(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]], str]:
    whole = folder / "tokenizer.json"
    if whole.is_file():
        model = _json(whole).get("model")
        if not isinstance(model, dict):
            raise CheckpointError("no model in it", where=visible(str(whole)))
        return _ids(model.get("vocab"), whole), _merges(model.get("merges")), visible(str(whole))
    parts = folder / "vocab.json", folder / "merges.txt"
    if not all(part.is_file() for part in parts):
        raise CheckpointError(
            "no tokenizer.json and no vocab.json with merges.txt", where=visible(str(folder))
        )
    lines = parts[1].read_text(encoding="utf-8", errors="replace").splitlines()
    rules = [line for line in lines if line and not line.startswith("#version")]
    return _ids(_json(parts[0]), parts[0]), _merges(rules), visible(str(parts[0]))


def _json(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CheckpointError("not valid JSON", where=visible(str(path))) from error
    return read if isinstance(read, dict) else {}


def _ids(found: object, path: Path) -> dict[str, int]:
    numbers = found.values() if isinstance(found, dict) else ()
    if not isinstance(found, dict) or not all(type(n) is int and 0 <= n < 2**31 for n in numbers):
        raise CheckpointError("no vocabulary of tokens and their ids", where=visible(str(path)))
    return found


def _merges(found: object) -> list[tuple[str, str]]:
    """Merges are written as "a b" or as [a, b]; anything else is left for `_check` to refuse."""
    rules = found if isinstance(found, list) else []
    pairs = (rule.split(" ") if isinstance(rule, str) else rule for rule in rules)
    return [(str(pair[0]), str(pair[-1])) for pair in pairs if isinstance(pair, list) and pair]


def _check(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]], where: str) -> None:
    for token in (BEGIN, END):
        if token not in vocabulary:
            raise CheckpointError(
                f"no {token} in the vocabulary; not a CLIP tokenizer", where=where
            )
    if not any(token.endswith(WORD_END) for token in vocabulary):
        raise CheckpointError(f"no token ends in {WORD_END}; not a CLIP tokenizer", where=where)
    for left, right in merges:
        if not (left in vocabulary and right in vocabulary and left + right in vocabulary):
            raise CheckpointError(
                f"the merge {visible(left)!r} + {visible(right)!r} is not in the vocabulary",
                where=where,
            )
