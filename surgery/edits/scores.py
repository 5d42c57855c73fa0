"""Scores: what each component of some weights counts for a concept. Values only, numpy only.

An edit that masks components is solved on them. One set of scores serves every ratio, so that how
much is taken out can be tried without computing them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surgery.errors import EditError

Values = NDArray[np.floating]
Fact = str | int | float | bool

SAMPLED = 64
"""Entries of each weight that are kept, by which its model is known again."""

ALIKE = 0.02
"""How far they may be off, in units of their own length: half precision moves them by 0.001."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be scored, and from which runs.

    Args:
        method: who scores; its name in `surgery.scores.SCORERS`.
        sites: selectors of single weights, such as `ff.in[3]`, in execution order.
        pairs: prompts with the concept, each with the same prompt without it.
        held: prompts that have nothing to do with it, and should stay.
        seeds: of the pictures; every prompt is painted with each.
        steps, guidance: of sampling.
        settings: what the method wants to know besides, by name.
    """

    method: str
    sites: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    held: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    steps: int = 20
    guidance: float = 3.0
    settings: tuple[tuple[str, Fact], ...] = ()

    def setting(self, name: str) -> Fact:
        """One of the settings."""
        return dict(self.settings)[name]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What each component counts.

    Args:
        method: who scored.
        values: site -> (out, in) for single weights, (out,) for whole rows; above zero where a
            component speaks for the concept, below where it speaks against it.
        held: site -> as `values`, what a component counts for what should stay; may be left out.
        norms: site -> (in,), root mean square of each input of the weight where the concept is not
            asked for; by these it is foretold how far an edit moves everything else.
        samples: site -> (SAMPLED,), entries of the weight, see `sample`.
        facts: everything else that the values depend on.
    """

    method: str
    values: Mapping[str, Values]
    held: Mapping[str, Values] = field(default_factory=dict)
    norms: Mapping[str, Values] = field(default_factory=dict)
    samples: Mapping[str, Values] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def of(self, site: str) -> Values:
        """The values of one site.

        Raises:
            EditError: it was not scored.
        """
        if site not in self.values:
            there = ", ".join(list(self.values)[:3]) or "nothing"
            raise EditError(
                f"{site} was not scored; scored are {there} and {max(0, len(self.values) - 3)} more"
                if len(self.values) > 3
                else f"{site} was not scored; scored: {there}",
                hint="score it, or leave it out of `where`",
            )
        return self.values[site]

    def must_be_by(self, scorer: str, method: str) -> None:
        """Make sure of who made them, for an edit of this method.

        Raises:
            EditError: somebody else did.
        """
        if self.method != scorer:
            raise EditError(
                f"the scores were made by {self.method}, and {method} is solved on those of "
                f"{scorer}",
                hint=f"surgery probe --method {scorer} --scores makes them",
            )

    def check(self, site: str, weight: Values) -> None:
        """Make sure that the scores are of this weight.

        Raises:
            EditError: they are of another model.
        """
        own, known = self.of(site), self.samples.get(site)
        alike = own.shape in (weight.shape, weight.shape[:1])
        if alike and known is not None:
            gap = np.linalg.norm(sample(weight) - known)
            alike = bool(gap <= ALIKE * np.linalg.norm(known))
        if not alike:
            raise EditError(
                f"the scores of {site} are of another model",
                hint="score this one, by surgery probe --scores",
            )


def sample(weight: Values) -> Values:
    """Entries of a weight, evenly spread over it, by which it is known again; (SAMPLED,)."""
    flat = weight.ravel()
    places = np.linspace(0, len(flat) - 1, SAMPLED).round().astype(np.int64)
    return flat[places].astype(np.float32)
