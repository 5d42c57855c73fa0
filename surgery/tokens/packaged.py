"""CLIP's vocabulary from the package instant-clip-tokenizer, for weights that come without one.

The package splits text as CLIP's first tokenizer does; what transformers' does otherwise is done
here, so that the ids are those of transformers' CLIPTokenizer. No file of a model is read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.util import find_spec

from surgery.errors import EditError
from surgery.store.text import visible
from surgery.tokens.pairs import BEGIN, END
from surgery.tokens.prompts import Tokens
from surgery.tokens.vocabulary import CLIP_LENGTH

MODULE = "instant_clip_tokenizer"
PLAIN_PAD = "!"
SIZE = 49408
"""Tokens in the vocabulary: the rows that a model's table must have."""


def is_packaged() -> bool:
    """Whether the package is installed."""
    return find_spec(MODULE) is not None


def packaged_tokens(*, max_length: int = CLIP_LENGTH, pad_word: str = END) -> Tokens:
    """CLIP's tokenizer from the installed package.

    Args:
        max_length: the most tokens the text tower reads.
        pad_word: the padding token: the end token, or a plain "!" (Stable Diffusion 2, OpenCLIP).
    """
    from instant_clip_tokenizer import Tokenizer

    tokenizer = Tokenizer()
    special = {BEGIN: tokenizer.start_of_text(), END: tokenizer.end_of_text()}
    special.setdefault(pad_word, tokenizer.encode(pad_word)[0] - 256)
    cut = re.compile("(" + "|".join(map(re.escape, special)) + ")")

    @cache
    def split(text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for piece in cut.split(text):
            ids += [special[piece]] if piece in special else tokenizer.encode(_plain(piece))
        return tuple(ids)

    return Tokens(split, special[BEGIN], special[END], special[pad_word], max_length)


def _plain(text: str) -> str:
    """A text without special tokens in the form that makes both tokenizers agree.

    Raises:
        EditError: a special token in capitals, or a character that Unicode does not define (yet),
            which the two split in different ways.
    """
    if any(unicodedata.category(letter) == "Cn" for letter in text):
        raise EditError(
            f"{visible(text)!r} holds a character that is not defined",
            hint="leave it out, or name the model's own tokenizer by --tokenizer",
        )
    if any(word in text.lower() for word in (BEGIN, END)):
        raise EditError(
            f"{visible(text)!r} holds a special token in capitals", hint="write it in small letters"
        )
    # Lowered letter by letter, a capital sigma is never a final one.
    return unicodedata.normalize("NFC", text).replace("\u03a3", "\u03c3")
