"""What is asked of both models: prompts with seeds, in sets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from surgery.report.verify import Group

FIRST_SEED = 9_000_000
"""Seeds from here on are for reports alone: nothing was ever chosen on them."""
SEEDS = 900_000
"""How many first seeds there are for prompts to fall on."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt with one seed.

    Args:
        guidance: None for the run's own.
        thing: what the picture should show beside the concept, where a judge can tell.
    """

    prompt: str
    seed: int
    guidance: float | None = None
    thing: str = ""


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Prompts that are judged by one question.

    Args:
        concept: what is looked for in the pictures; where `own`, a name for the set.
        sort: style, object, fact or plain; '' where nothing says.
        target: what should be in its place, where it is erased.
        others: what else might be seen in its place, for a judge that must choose.
        own: every picture is to show its own prompt, and no concept is looked for.
    """

    group: Group
    concept: str
    sort: str
    asks: tuple[Ask, ...]
    target: str = ""
    others: tuple[str, ...] = ()
    own: bool = False

    def first(self, count: int | None) -> PromptSet:
        """The same set with at most `count` pictures, spread evenly over it."""
        if count is None or count >= len(self.asks):
            return self
        places = [number * len(self.asks) // count for number in range(count)]
        return replace(self, asks=tuple(self.asks[place] for place in places))
