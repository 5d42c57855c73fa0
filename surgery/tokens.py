"""Prompts to token ids and to places in a prompt, with a CLIP vocabulary from a folder.

A tokenizer file is read for its vocabulary and merges only; CLIP's own rules for splitting are
here. No weights, and no model library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Ask, Asks, Context
from surgery.errors import CheckpointError, EditError
from surgery.store.text import visible

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

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A CLIP vocabulary in use.

    Args:
        tokenizer: splits text into ids, without begin and end.
        begin, end, pad: ids of those tokens.
        max_length: the most tokens a prompt may have, begin and end included.
    """

    tokenizer: Tokenizer
    begin: int
    end: int
    pad: int
    max_length: int = CLIP_LENGTH

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of a prompt with its begin and end token, unpadded.

        Raises:
            EditError: the prompt has more tokens than the model reads.
        """
        ids = (self.begin, *self._plain(text), self.end)
        if len(ids) > self.max_length:
            raise EditError(
                f"the prompt {visible(text)!r} has {len(ids)} tokens, begin and end included, "
                f"and the model reads {self.max_length}",
                hint="shorten it",
            )
        return ids

    def padded(self, text: str) -> tuple[int, ...]:
        """Ids of a prompt up to the full length."""
        return self._filled(self.encode(text))

    def eos_position(self, text: str) -> int:
        """The place of the end token."""
        return len(self.encode(text)) - 1

    def subject_span(self, prompt: str, subject: str) -> tuple[int, int]:
        """First and last place of a subject in a prompt, where it occurs last.

        Raises:
            EditError: the subject is empty, or its tokens are not in the prompt.
        """
        return self._span(self.encode(prompt), prompt, subject)

    def prefixes(self, ask: Ask) -> tuple[Prefix, ...]:
        """The asked places, each as the ids from the begin of the prompt to the place itself."""
        ids = self.encode(ask.prompt)
        filled = self._filled(ids)
        return tuple(filled[: place + 1] for place in self._places(ids, ask))

    def _places(self, ids: Prefix, ask: Ask) -> Sequence[int]:
        end = len(ids) - 1
        if ask.position == "bos":
            return (0,)
        if ask.position == "eos":
            return (end,)
        if ask.position == "pads":
            return range(end + 1, self.max_length)
        if ask.subject is None:
            if ask.position == "subject":
                raise EditError(f"the prompt {visible(ask.prompt)!r} comes without a subject")
            return range(end + 1)
        last = self._span(ids, ask.prompt, ask.subject)[1]
        return (last,) if ask.position == "subject" else range(last, self.max_length)

    def _span(self, ids: Prefix, prompt: str, subject: str) -> tuple[int, int]:
        wanted = self._plain(subject)
        if not wanted:
            raise EditError(f"{visible(subject)!r} has no token", hint="name the subject")
        for first in range(len(ids) - len(wanted) - 1, 0, -1):
            if ids[first : first + len(wanted)] == wanted:
                return first, first + len(wanted) - 1
        raise EditError(
            f"the subject {visible(subject)!r} is not in the prompt {visible(prompt)!r}",
            hint="write it in full, as words of their own",
        )

    def _filled(self, ids: Prefix) -> Prefix:
        return ids + (self.pad,) * (self.max_length - len(ids))

    def _plain(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True, slots=True)
class Spots:
    """All places an edit asks for, each as a prefix, in the rows of the Context to be made."""

    keys: tuple[Prefix, ...]
    targets: tuple[Prefix, ...]
    preserve: tuple[Prefix, ...]
    key_labels: tuple[str, ...]
    preserve_labels: tuple[str, ...]
    key_weights: tuple[float, ...]
    preserve_weights: tuple[float, ...]

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Keys, targets and preserve keys, one after the other."""
        return self.keys + self.targets + self.preserve

    def context(self, states: NDArray[np.float64]) -> Context:
        """The same places with their states, given in the order of `prefixes`."""
        count = len(self.keys)
        return Context(
            keys=states[:count],
            targets=states[count : 2 * count],
            preserve=states[2 * count :],
            key_labels=self.key_labels,
            preserve_labels=self.preserve_labels,
            key_weights=np.array(self.key_weights),
            preserve_weights=np.array(self.preserve_weights),
        )


def spots(asks: Asks, tokens: Tokens) -> Spots:
    """Find the asked places; a preserve place is kept once, and not where the edit is."""
    edited = [line for pair in asks.edited for line in _aligned(*pair, tokens)]
    taken = {key for key, _, _ in edited}
    held: dict[Prefix, Ask] = {}
    for ask in asks.preserve:
        for prefix in tokens.prefixes(ask):
            if prefix not in taken:
                held.setdefault(prefix, ask)
    return Spots(
        keys=tuple(key for key, _, _ in edited),
        targets=tuple(target for _, target, _ in edited),
        preserve=tuple(held),
        key_labels=tuple(_label(ask) for _, _, ask in edited),
        preserve_labels=tuple(_label(ask) for ask in held.values()),
        key_weights=tuple(ask.weight for _, _, ask in edited),
        preserve_weights=tuple(ask.weight for ask in held.values()),
    )


def load_tokens(folder: Path, *, max_length: int = CLIP_LENGTH, pad: int | None = None) -> Tokens:
    """Read a CLIP tokenizer from `tokenizer.json`, or from `vocab.json` and `merges.txt`.

    Args:
        folder: where the files are.
        max_length: the most tokens the text tower reads.
        pad: id of the padding token; left out, what the folder says, else the end token.

    Raises:
        CheckpointError: the files are missing or do not hold a CLIP vocabulary.
    """
    vocabulary, merges, where = _read(folder)
    _check(vocabulary, merges, where)
    word = _pad_word(folder, vocabulary)
    chosen = vocabulary[word] if pad is None else pad
    tokenizer = _tokenizer(vocabulary, merges)
    # A padding token is cut out of text before words are, also where it is a plain "!".
    tokenizer.add_special_tokens([BEGIN, END, word])
    return Tokens(tokenizer, vocabulary[BEGIN], vocabulary[END], chosen, max_length)


def _aligned(source: Ask, target: Ask, tokens: Tokens) -> Iterator[tuple[Prefix, Prefix, Ask]]:
    """Places side by side; where the target has fewer, its last one serves the rest."""
    goals = tokens.prefixes(target) or (tokens.encode(target.prompt),)
    for number, key in enumerate(tokens.prefixes(source)):
        yield key, goals[min(number, len(goals) - 1)], source


def _label(ask: Ask) -> str:
    return ask.subject or ask.prompt or "the empty prompt"


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
