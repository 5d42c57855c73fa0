"""The sweep: states gathered once for all that ask for the same, solves, one pass over the weights.

No weight is rounded and none is kept. Leak and drift are as `apply` measures them, of the weights
as solved; leak also at the places that only other trials edit, or an edit of few places would look
better for what it leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from surgery.edits.base import Asks, Context, Edit, States
from surgery.edits.checks import Check, Checked
from surgery.edits.delta import Array, Delta, LowRank, Mapped
from surgery.edits.scored import ScoredEdit
from surgery.edits.scores import Wanted
from surgery.figures import OWN, SolvedEdit
from surgery.gather import Weights, gather
from surgery.layout import Layout, Site
from surgery.mask_figures import masked
from surgery.numerics.swept import Seen
from surgery.solve import changes_of, with_companions
from surgery.stage import Advance, Stage, unwatched
from surgery.tune.grid import Trial

SOLVED = ("strength", "ridge", "preserve_scale")
"""Settings of the solve alone, of which the asked states cannot depend."""

Asked = tuple[States, Asks, tuple[Check, ...], Wanted | None]

ELSEWHERE = "places that other points edit"
"""The wording of prompts at those places."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The states of all edits that ask for the same, in single precision where they are measured.

    Args:
        still: (m, in), neutral states and then, where they are looked at, the held ones.
        neutral: how many of them are neutral.
    """

    context: Context
    checked: Checked
    keys: Array
    gaps: Array
    still: Array
    neutral: int

    @classmethod
    def of(cls, found: tuple[Context, Checked], *, held: bool) -> Gathered:
        """Prepare what was gathered; with `held` what the edit holds is looked at too."""
        context, checked = found
        still = np.concatenate([checked.neutral, context.preserve]) if held else checked.neutral
        return cls(
            context=context,
            checked=checked,
            keys=checked.keys.astype(np.float32),
            gaps=(checked.keys - checked.targets).astype(np.float32),
            still=still.astype(np.float32),
            neutral=len(checked.neutral),
        )


@dataclass(slots=True, eq=False)
class Swept:
    """One edit of one trial, with its changes and what they do, site by site.

    Args:
        trial: its place among the trials.
        leaks: per site, (n,), of every checked key.
        drifts: per site, (m,), of every state of `gathered.still`.
        inside: the keys and the still states as the changes read them, where that is short.
    """

    trial: int
    gathered: Gathered
    deltas: Mapping[Site, Delta]
    leaks: list[Array] = field(default_factory=list)
    drifts: list[Array] = field(default_factory=list)
    inside: tuple[Array, Array] | None = None

    def mask(self, site: Site, before: Array, delta: Delta) -> None:
        """Measure one site of an edit that is solved on scores."""
        scores = self.gathered.context.scores
        assert scores is not None
        left, moved = masked(scores, site, before, delta.added_to(before))
        self.leaks.append(np.array([left], np.float32))
        self.drifts.append(np.array([moved], np.float32))

    def add(self, seen: Seen, before: Array, delta: Delta) -> None:
        """Measure one site."""
        keys, still = self._inside(delta)
        up = _up(before, delta)
        self.leaks.append(seen.leak(up, keys).astype(np.float32))
        self.drifts.append(seen.drift(up, still).astype(np.float32))

    def _inside(self, delta: Delta) -> tuple[Array, Array]:
        """One map serves all sites of an edit, so its coordinates are worked out once."""
        right = _right(delta)
        if right is None:
            return self.gathered.keys, self.gathered.still
        if self.inside is None or not isinstance(delta, Mapped):
            turned = right.astype(np.float32).T
            self.inside = self.gathered.keys @ turned, self.gathered.still @ turned
        return self.inside


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What is swept: trials of one edit of a recipe, on the weights that it finds.

    Args:
        number: the edit's place in the recipe.
        held: whether what the edit holds is measured too.
    """

    number: int
    trials: Sequence[Trial]
    layout: Layout
    weights: Weights
    held: bool

    def asked(self) -> dict[tuple[int, int], Asked]:
        """(trial, place among its companions) -> what it asks for."""
        known: dict[object, Asked] = {}
        found = {}
        for number, trial in enumerate(self.trials):
            for place, edit in enumerate(self._edits(trial)):
                own = tuple((k, v) for k, v in trial.settings.items() if k not in SOLVED)
                if (place, own) not in known:
                    known[place, own] = _asked(edit, self.layout)
                found[number, place] = known[place, own]
        return {key: _everywhere(key[1], asked, found) for key, asked in found.items()}

    def gather(
        self,
        asked: Mapping[tuple[int, int], Asked],
        advance: Advance,
        stage: Stage = unwatched,
    ) -> dict[Asked, Gathered]:
        """The states for everything asked, each once."""
        found: dict[Asked, Gathered] = {}
        for number, trial in enumerate(self.trials):
            for place, edit in enumerate(self._edits(trial)):
                if (key := asked[number, place]) not in found:
                    states = gather(edit, self.layout, self.weights, key[2], stage)
                    found[key] = Gathered.of(states, held=self.held)
                    advance(1)
        return found

    def solve(
        self,
        asked: Mapping[tuple[int, int], Asked],
        states: Mapping[Asked, Gathered],
        advance: Advance,
    ) -> tuple[Swept, ...]:
        """The changes of every trial."""
        found = []
        for number, trial in enumerate(self.trials):
            for place, edit in enumerate(self._edits(trial)):
                own = states[asked[number, place]]
                sites = edit.sites(self.layout)
                one = SolvedEdit(self.number, edit, own.context, own.checked, sites)
                found.append(Swept(number, own, changes_of(one, self.weights)))
            advance(1)
        return tuple(found)

    def measure(self, swept: Sequence[Swept], advance: Advance) -> None:
        """Look at every site once, for all trials that change it."""
        sites = list(dict.fromkeys(site for one in swept for site in one.deltas))
        self.weights.checkpoint.prepare(site.tensor for site in sites)
        for site in sites:
            before = self.weights.value(site)
            for gathered, group in _by_states(swept, site):
                if not len(gathered.context.keys):
                    for one in group:
                        one.mask(site, before, one.deltas[site])
                        advance(1)
                    continue
                seen = Seen.of(before, gathered.gaps, gathered.still)
                for one in group:
                    one.add(seen, before, one.deltas[site])
                    advance(1)

    def _edits(self, trial: Trial) -> Iterator[Edit]:
        for _, edit in with_companions([(self.number, trial.edit)], self.layout):
            yield edit


def _asked(edit: Edit, layout: Layout) -> Asked:
    wanted = edit.wanted(layout) if isinstance(edit, ScoredEdit) and not edit.scores else None
    return edit.states, edit.asks(layout), edit.checks(layout), wanted


def _everywhere(place: int, asked: Asked, every: Mapping[tuple[int, int], Asked]) -> Asked:
    """The same, measured at the places of all trials."""
    states, asks, own, wanted = asked
    others = {id(one): one for (_, at), one in every.items() if at == place}
    union = dict.fromkeys(check for one in others.values() for check in one[2])
    known = set(own)
    more = (check for check in union if check.wording in OWN and check not in known)
    return states, asks, (*own, *(replace(check, wording=ELSEWHERE) for check in more)), wanted


def _by_states(swept: Sequence[Swept], site: Site) -> list[tuple[Gathered, list[Swept]]]:
    """Those that change a site, by the states that they share."""
    groups: dict[int, tuple[Gathered, list[Swept]]] = {}
    for one in swept:
        if site in one.deltas:
            groups.setdefault(id(one.gathered), (one.gathered, []))[1].append(one)
    return list(groups.values())


def _right(delta: Delta) -> Array | None:
    """What a change reads of a state; None for all of it."""
    if isinstance(delta, LowRank):
        return delta.down
    return delta.right if isinstance(delta, Mapped) else None


def _up(before: Array, delta: Delta) -> Array:
    """What it makes of that: the left factor of the change, in single precision."""
    if isinstance(delta, LowRank):
        return delta.up.astype(np.float32)
    weight = before.astype(np.float32, copy=False)
    if isinstance(delta, Mapped):
        up: Array = weight @ delta.left.astype(np.float32)
        return up
    return (delta.added_to(before) - before).astype(np.float32)
