"""Byte-pair encoding: the ids of a text by CLIP's rules, each word looked up when it occurs.

A prompt needs a few merges of fifty thousand, so no table of pairs is built from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from surgery.errors import EditError

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
# Radford et al. 2021, the reference tokenizer of CLIP; the same expression in every published one.
SPLIT = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
# Merging takes the square of a word's length.
LONGEST_WORD = 1000
_NEVER = 2**31


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """A vocabulary with its merges.

    Args:
        ids: token -> id.
        ranks: "left right" -> place among the merges; the lowest goes first.
    """

    ids: Mapping[str, int]
    ranks: Mapping[str, int]

    def splitter(self, special: frozenset[str]) -> Callable[[str], tuple[int, ...]]:
        """A function from a text to its ids, without begin and end.

        Args:
            special: tokens that are cut out of a text before words are; the function raises an
                EditError for a word that is too long to be one.
        """
        words = _words()
        cut = re.compile("(" + "|".join(map(re.escape, sorted(special, key=len)[::-1])) + ")")

        # No word reaches across a space, and prompts share most of their words.
        @cache
        def between_spaces(text: str) -> tuple[int, ...]:
            return tuple(number for word in words(text) for number in self._word(word))

        def split(text: str) -> tuple[int, ...]:
            found: list[int] = []
            for piece in cut.split(text):
                if piece in special:
                    found.append(self.ids[piece])
                else:
                    found += [
                        number for part in piece.split(" ") for number in between_spaces(part)
                    ]
            return tuple(found)

        return cache(split)

    def _word(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            raise EditError(f"a prompt has a word of {len(word):,} letters", hint="shorten it")
        letters = [*word[:-1], word[-1] + WORD_END]
        known = [letter if letter in self.ids else END for letter in letters]
        return [self.ids[symbol] for symbol in self._merged(known)]

    def _merged(self, symbols: list[str]) -> list[str]:
        """Joins neighbours until no merge is left: of the lowest rank first, then from the left."""
        rank = self.ranks.get
        ranks = [rank(f"{left} {right}", _NEVER) for left, right in pairwise(symbols)]
        while ranks and (lowest := min(ranks)) < _NEVER:
            place = ranks.index(lowest)
            symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
            del ranks[place]
            for near in range(max(place - 1, 0), min(place + 1, len(ranks))):
                ranks[near] = rank(f"{symbols[near]} {symbols[near + 1]}", _NEVER)
        return symbols


def _words() -> Callable[[str], list[str]]:
    """A text's words in lower case, each byte of them written as one letter."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    plain = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    apart = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )

    def words(text: str) -> list[str]:
        return [word for word, _ in apart.pre_tokenize_str(plain.normalize_str(text))]

    return words
