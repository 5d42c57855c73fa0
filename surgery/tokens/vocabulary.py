"""Reads a CLIP tokenizer from its files, checked before it is used.

A file is read for its vocabulary and merges only; CLIP's own rules are in `pairs`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.text import visible
from surgery.tokens.pairs import BEGIN, END, WORD_END, Pairs
from surgery.tokens.prompts import Tokens

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
    pairs = Pairs(vocabulary, dict(zip(merges, range(len(merges)), strict=True)))
    # A padding token is cut out of text before words are, also where it is a plain "!".
    split = pairs.splitter(frozenset({BEGIN, END, word}))
    return Tokens(split, vocabulary[BEGIN], vocabulary[END], chosen, max_length)


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds the files that `load_tokens` reads."""
    parts = ("vocab.json", "merges.txt")
    return (folder / "tokenizer.json").is_file() or all((folder / one).is_file() for one in parts)


def _pad_word(folder: Path, vocabulary: Mapping[str, int]) -> str:
    named = _json(folder / "tokenizer_config.json").get("pad_token", END)
    word = named.get("content") if isinstance(named, Mapping) else named
    return word if isinstance(word, str) and word in vocabulary else END


def _read(folder: Path) -> tuple[dict[str, int], list[str], str]:
    """The ids of a vocabulary, its merges as "left right", and the file that was read."""
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
    rules = parts[1].read_text(encoding="utf-8", errors="replace").splitlines()
    if rules and rules[0].startswith("#version"):
        del rules[0]
    return _ids(_json(parts[0]), parts[0]), list(filter(None, rules)), visible(str(parts[0]))


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
    whole = set(map(type, numbers)) == {int} and min(numbers) >= 0 and max(numbers) < 2**31
    if not isinstance(found, dict) or not whole:
        raise CheckpointError("no vocabulary of tokens and their ids", where=visible(str(path)))
    return found


def _merges(found: object) -> list[str]:
    """Merges are written as "a b" or as [a, b]; anything else is left for `_check` to refuse."""
    rules = found if isinstance(found, list) else []
    written = [rule for rule in rules if isinstance(rule, str | list)]
    return [rule if isinstance(rule, str) else " ".join(map(str, rule)) for rule in written]


def _check(vocabulary: Mapping[str, int], merges: Sequence[str], where: str) -> None:
    for token in (BEGIN, END):
        if token not in vocabulary:
            raise CheckpointError(
                f"no {token} in the vocabulary; not a CLIP tokenizer", where=where
            )
    if not any(token.endswith(WORD_END) for token in vocabulary):
        raise CheckpointError(f"no token ends in {WORD_END}; not a CLIP tokenizer", where=where)
    # Fifty thousand rules: all at once, and one by one only to name what is wrong.
    joined = "\n".join(merges).replace(" ", "").split("\n")
    if merges and not all(map(vocabulary.__contains__, joined)):
        _refuse(vocabulary, merges, where)


def _refuse(vocabulary: Mapping[str, int], merges: Sequence[str], where: str) -> None:
    for rule in merges:
        # Where a part is no token, the merge never applies.
        if rule.replace(" ", "") not in vocabulary:
            left, _, right = rule.partition(" ")
            raise CheckpointError(
                f"the merge {visible(left)!r} + {visible(right)!r} is not in the vocabulary",
                where=where,
            )
