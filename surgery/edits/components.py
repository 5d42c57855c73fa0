"""What goes as one when components are removed: weights, hidden units, whole feed-forwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from surgery.edits.scores import Scores, Values
from surgery.errors import EditError
from surgery.numerics.masks import Scope, picked, unit_places, units

if TYPE_CHECKING:
    from surgery.layout import Site

Granularity = Literal["weight", "neuron", "layer"]
Places = NDArray[np.int64]
Signed = Callable[[Scores, "Site"], Values]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some components whose scores are ranked, and the weights that each of them is.

    Args:
        wins: what taking each out wins; (out, in) for single weights.
        harms: alike, the damage; None where it was not scored.
        places: numbers of components -> for each of its weights the places in it.
    """

    wins: Values
    harms: Values | None
    places: Callable[[Places], Mapping[Site, Places]]


def parts(
    granularity: Granularity, sites: Sequence[Site], scores: Scores, signed: Signed
) -> list[Part]:
    """The components that the weights of these sites consist of.

    Args:
        signed: the scores of one site, above zero where a component is to go.

    Raises:
        EditError: a hidden unit, of which a site is only one side.
    """
    if granularity == "weight":
        return [_single(site, scores, signed) for site in sites]
    make = _hidden if granularity == "neuron" else _layer
    return [make(coming, going, scores, signed) for coming, going in _pairs(sites)]


def chosen(
    groups: Sequence[Part], values: Sequence[Values], ratio: float, scope: Scope
) -> dict[Site, Places]:
    """Site -> places in its weight of the components that rank first.

    Args:
        values: for each part, what its components are ranked by.
    """
    found: dict[Site, Places] = {}
    for group, numbers in zip(groups, picked(values, ratio, scope), strict=True):
        found |= group.places(numbers)
    return found


def _single(site: Site, scores: Scores, signed: Signed) -> Part:
    return Part(signed(scores, site), scores.held.get(str(site)), lambda numbers: {site: numbers})


def _hidden(coming: Site, going: Site, scores: Scores, signed: Signed) -> Part:
    wins = units(signed(scores, coming), signed(scores, going))
    harms = _both(scores, coming, going)
    shapes = scores.of(str(coming)).shape, scores.of(str(going)).shape

    def places(numbers: Places) -> dict[Site, Places]:
        inward, outward = unit_places(numbers, *shapes)
        return {coming: inward, going: outward}

    return Part(wins, None if harms is None else units(*harms), places)


def _layer(coming: Site, going: Site, scores: Scores, signed: Signed) -> Part:
    wins = signed(scores, coming).sum() + signed(scores, going).sum()
    harms = _both(scores, coming, going)
    sizes = {site: scores.of(str(site)).size for site in (coming, going)}

    def places(numbers: Places) -> dict[Site, Places]:
        return {site: np.arange(size if len(numbers) else 0) for site, size in sizes.items()}

    total = None if harms is None else np.array([harms[0].sum() + harms[1].sum()])
    return Part(np.array([wins]), total, places)


def _both(scores: Scores, coming: Site, going: Site) -> tuple[Values, Values] | None:
    found = [scores.held.get(str(site)) for site in (coming, going)]
    first, second = found
    return None if first is None or second is None else (first, second)


def _pairs(sites: Sequence[Site]) -> Iterator[tuple[Site, Site]]:
    """The two weights of each feed-forward."""
    known = {(site.kind, site.index): site for site in sites}
    for site in sites:
        coming, going = (known.get((f"ff.{side}", site.index)) for side in ("in", "out"))
        if site not in (coming, going) or coming is None or going is None:
            raise EditError(
                f"{site} alone is no whole feed-forward",
                hint="name both sides, ff.{in,out}, or say granularity: weight",
            )
        if site is coming:
            yield coming, going
