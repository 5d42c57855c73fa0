"""T5's tokenizer, from the folder of a model, with the methods of `surgery.tokens.Tokens`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoTokenizer

from surgery.errors import CheckpointError, EditError
from surgery.store.text import visible


@dataclass(frozen=True, slots=True, eq=False)
class T5Tokens:
    """A T5 vocabulary in use; prompts have an end token and no begin token.

    Args:
        split: a text's ids, without the end token.
        end, pad: ids of those tokens.
        max_length: the most tokens a prompt may have, the end included.
    """

    split: Callable[[str], Sequence[int]]
    end: int
    pad: int
    max_length: int

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of a prompt with its end token, unpadded.

        Raises:
            EditError: the prompt has more tokens than the model reads.
        """
        ids = (*self._plain(text), self.end)
        if len(ids) > self.max_length:
            raise EditError(
                f"the prompt {visible(text)!r} has {len(ids)} tokens, end included, "
                f"and the model reads {self.max_length}",
                hint="shorten it",
            )
        return ids

    def fits(self, text: str) -> bool:
        """Whether the model reads the whole prompt."""
        return len(self._plain(text)) + 1 <= self.max_length

    def padded(self, text: str) -> tuple[int, ...]:
        """Ids of a prompt up to the full length."""
        ids = self.encode(text)
        return ids + (self.pad,) * (self.max_length - len(ids))

    def eos_position(self, text: str) -> int:
        """The place of the end token."""
        return len(self.encode(text)) - 1

    def subject_span(self, prompt: str, subject: str) -> tuple[int, int]:
        """First and last place of a subject in a prompt, where it occurs last.

        Raises:
            EditError: the subject is empty, or its tokens are not in the prompt.
        """
        ids, wanted = self.encode(prompt), self._plain(subject)
        if not wanted:
            raise EditError(f"{visible(subject)!r} has no token", hint="name the subject")
        for first in range(len(ids) - len(wanted) - 1, -1, -1):
            if ids[first : first + len(wanted)] == wanted:
                return first, first + len(wanted) - 1
        raise EditError(
            f"the subject {visible(subject)!r} is not in the prompt {visible(prompt)!r}",
            hint="write it in full, as words of their own",
        )

    def _plain(self, text: str) -> tuple[int, ...]:
        # DeepFloyd IF reads prompts in small letters.
        return tuple(self.split(text.lower().strip()))


def load_t5_tokens(folder: Path, max_length: int) -> T5Tokens:
    """Read a T5 tokenizer from `tokenizer.json` or `spiece.model`.

    Raises:
        CheckpointError: the folder holds none that can be read.
    """
    if not any((folder / name).is_file() for name in ("tokenizer.json", "spiece.model")):
        raise CheckpointError(
            "no tokenizer.json and no spiece.model",
            where=visible(str(folder)),
            hint="name the folder of the T5 tokenizer by --tokenizer",
        )
    try:
        own = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        raise CheckpointError(
            "the tokenizer cannot be read", where=visible(str(folder)), hint="see its files"
        ) from error

    def split(text: str) -> Sequence[int]:
        ids: Sequence[int] = own(text, add_special_tokens=False).input_ids
        return ids

    return T5Tokens(split, own.eos_token_id, own.pad_token_id, max_length)
