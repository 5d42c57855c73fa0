"""Tokens: a CLIP vocabulary in use, from prompts to ids and to places in a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surgery.edits.base import Ask
from surgery.errors import EditError
from surgery.store.text import visible

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A CLIP vocabulary in use.

    Args:
        split: a text's ids, without begin and end.
        begin, end, pad: ids of those tokens; T5 has no begin token.
        max_length: the most tokens a prompt may have, begin and end included.
    """

    split: Callable[[str], Sequence[int]]
    begin: int | None
    end: int
    pad: int
    max_length: int

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of a prompt with its begin and end token, unpadded.

        Raises:
            EditError: the prompt has more tokens than the model reads.
        """
        ids = (*self._lead, *self._plain(text), self.end)
        if len(ids) > self.max_length:
            marks = "begin and end" if self._lead else "end"
            raise EditError(
                f"the prompt {visible(text)!r} has {len(ids)} tokens, {marks} included, "
                f"and the model reads {self.max_length}",
                hint="shorten it",
            )
        return ids

    def fits(self, text: str) -> bool:
        """Whether the model reads the whole prompt."""
        return len(self._lead) + len(self._plain(text)) + 1 <= self.max_length

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

    def lead(self, ask: Ask) -> int:
        """How many of the asked places come before the last token of the subject."""
        if ask.subject is None or ask.position not in ("name", "all"):
            return 0
        first, last = self.subject_span(ask.prompt, ask.subject)
        return last - first

    @property
    def _lead(self) -> Prefix:
        return () if self.begin is None else (self.begin,)

    def _places(self, ids: Prefix, ask: Ask) -> Sequence[int]:
        end = len(ids) - 1
        if ask.position == "bos":
            return (0,)
        if ask.position == "eos":
            return (end,)
        if ask.position == "pads":
            return range(end + 1, self.max_length)
        if ask.position == "final":
            return (self.max_length - 1,)
        if ask.position == "prompt":
            return range(end + 1)
        if ask.position == "whole":
            return range(self.max_length)
        if ask.position == "ends":
            return range(max(end - 1, 0), end + 1)
        if ask.subject is None:
            raise EditError(f"the prompt {visible(ask.prompt)!r} comes without a subject")
        first, last = self._span(ids, ask.prompt, ask.subject)
        if ask.position == "all":
            return range(first, self.max_length)
        return range(first, last + 1) if ask.position == "name" else (last,)

    def _span(self, ids: Prefix, prompt: str, subject: str) -> tuple[int, int]:
        wanted = self._plain(subject)
        if not wanted:
            raise EditError(f"{visible(subject)!r} has no token", hint="name the subject")
        for first in range(len(ids) - len(wanted) - 1, len(self._lead) - 1, -1):
            if ids[first : first + len(wanted)] == wanted:
                return first, first + len(wanted) - 1
        raise EditError(
            f"the subject {visible(subject)!r} is not in the prompt {visible(prompt)!r}",
            hint="write it in full, as words of their own",
        )

    def _filled(self, ids: Prefix) -> Prefix:
        return ids + (self.pad,) * (self.max_length - len(ids))

    def _plain(self, text: str) -> tuple[int, ...]:
        return tuple(self.split(text))
