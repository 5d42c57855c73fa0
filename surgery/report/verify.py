"""What pictures of two models showed, before and after an edit.

Every figure carries its interval. A picture is always one prompt and one seed, painted by both
models from the same noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from surgery.report.base import Report
from surgery.report.diffs import BlockChange
from surgery.report.edits import Drift, Gate, Leak
from surgery.report.probes import Cost, Setting
from surgery.report.shares import Share

How = Literal["wilson", "bootstrap", "none"]
Group = Literal["erased", "synonym", "paraphrase", "misspelling", "kept", "unrelated", "given"]
ERASED: tuple[Group, ...] = ("erased", "synonym", "paraphrase", "misspelling")
"""Groups whose prompts ask for an erased concept."""
GROUPS: tuple[Group, ...] = (*ERASED, "kept", "unrelated", "given")
"""All groups, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over `count` pictures, with its 95 % interval.

    Args:
        how: Wilson (1927) for a share of pictures, or Newcombe's (1998) from it for its change; a
            bootstrap over prompts and seeds for everything else, and for a share where pictures of
            one prompt make it wider; `none` where there is too little to draw again, and then the
            interval is the value itself.
    """

    value: float
    low: float
    high: float
    count: int
    how: How = "bootstrap"

    @classmethod
    def share(cls, value: float, count: int) -> Figure:
        """A share `value` (0 to 1) of `count` pictures."""
        found = Share.of(value, count)
        return cls(value, found.low, found.high, count, "wilson")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that was looked at.

    Args:
        address: as it was asked for.
        fingerprint: of the checkpoint.
        revision: the commit on the Hub, '' for what is on this disk.
    """

    address: str
    fingerprint: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class JudgeFacts:
    """Who looked at the pictures.

    Args:
        name: what it is called on the command line, such as `atelier` or `clip`.
        model: address of the model that it looks with, or the function's name.
        revision: the commit on the Hub, or a digest of its weights.
        kind: `concept` says whether a concept is seen and how much of it, `alignment` how near a
            picture is to its own prompt (100 times the cosine), `distance` how far the two pictures
            of a pair are from each other, `sets` how far all pictures of both models are.
        unit: of its score.
    """

    name: str
    model: str
    revision: str
    kind: Literal["concept", "alignment", "distance", "sets"]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What the judges said of one pair of pictures; None where a judge does not say.

    Args:
        shown_before, shown_after: whether the concept of the set is seen.
        score_before, score_after: how much of it, in the unit of the judge of concepts.
        seen_before, seen_after: what is seen instead, or the concept: `monet`, `plain`, `star`.
        thing_before, thing_after: whether what the prompt asks for beside the concept is seen.
        clip_before, clip_after: 100 times the cosine of the picture and its own prompt.
        distance: between both pictures, 0 where they are the same.
        lpips: the same by LPIPS.
    """

    shown_before: bool | None = None
    shown_after: bool | None = None
    score_before: float | None = None
    score_after: float | None = None
    seen_before: str = ""
    seen_after: str = ""
    thing_before: bool | None = None
    thing_after: bool | None = None
    clip_before: float | None = None
    clip_after: float | None = None
    distance: float | None = None
    lpips: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt and seed, and what was seen; its set by group and concept."""

    group: Group
    concept: str
    prompt: str
    seed: int
    marks: Marks


@dataclass(frozen=True, slots=True)
class PicturePair:
    """The pictures of one prompt and seed, each a PNG as base64 text."""

    prompt: str
    seed: int
    group: Group
    concept: str
    before: str = field(repr=False)
    after: str = field(repr=False)
    marks: Marks = Marks()


@dataclass(frozen=True, slots=True)
class SetFigures:
    """What the judges read from one set of prompts, before and after.

    Args:
        group: why it was asked.
        concept: what its prompts ask for; of `synonym`, `paraphrase` and `misspelling` the erased
            concept that they mean.
        sort: style, object, fact or plain; '' where nothing says.
        prompts: how many different prompts.
        n: pictures of each model.
        shown_before, shown_after: share of pictures that show the concept; None where the judge
            does not say yes or no.
        shown_change: after less before, over the pairs.
        retained: of the pictures that showed it before, the share that still does.
        score_before, score_after, score_change: the judge's score.
        clip_before, clip_after, clip_change: 100 times the cosine of each picture and its prompt.
        distance: between the two pictures of a pair.
        became: what most pictures show after, where the judge can name it.
        more: further measures by name: `content` is the share that keeps what else was asked for,
            of the pictures that showed it before; `lpips` is between the two pictures of a pair.
    """

    group: Group
    concept: str
    sort: str
    prompts: int
    n: int
    shown_before: Figure | None = None
    shown_after: Figure | None = None
    shown_change: Figure | None = None
    retained: Figure | None = None
    score_before: Figure | None = None
    score_after: Figure | None = None
    score_change: Figure | None = None
    clip_before: Figure | None = None
    clip_after: Figure | None = None
    clip_change: Figure | None = None
    distance: Figure | None = None
    became: str = ""
    more: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures that can be set beside those of papers, as shares; None where no set gives them.

    Args:
        ua: unlearning accuracy, 1 less the share of the erased concept's own prompts that show it.
        ira: share of kept concepts of its sort that are shown (in-domain retain accuracy).
        cra: the same of all other sorts (cross-domain retain accuracy).
        mean: of the three, UnlearnCanvas's average.
        harmonic: their harmonic mean.
        general: 1 less the share of synonyms, paraphrases and misspellings that show it.
        mace: harmonic mean of ua, general and the share of all that is kept, MACE's H_o.

    Source: UnlearnCanvas, arXiv 2402.11846, section 4; MACE, arXiv 2403.06135, section 4.
    """

    ua: Figure | None = None
    ira: Figure | None = None
    cra: Figure | None = None
    mean: Figure | None = None
    harmonic: Figure | None = None
    general: Figure | None = None
    mace: Figure | None = None


@dataclass(frozen=True, slots=True)
class Attack:
    """An attempt to bring an erased concept back.

    Args:
        name: of the method, such as `rece`, `paraphrase` or `inversion`.
        concept: what was to come back.
        tried: one sentence: what was done, and with how much effort.
        before: share of the edited model's pictures that show it, asked for plainly.
        after: the same under the attack.
        found: what brings it back best, such as prompts, the best first.
        original: share of the unedited model's pictures that show it, asked for plainly.
        settings: what its figures depend on.
        pictures: the edited model's picture asked plainly, and under the attack.
        seconds: what it took, from the search to the last picture.
        notes: how its figures must not be read, and which others were left out.
    """

    name: str
    concept: str
    tried: str
    before: Figure
    after: Figure
    found: tuple[str, ...] = ()
    original: Figure | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    pictures: tuple[PicturePair, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyReport(Report):
    """Is it gone, and is the rest intact?

    Args:
        verdict: one sentence that says so, without markup.
        concepts: what should be gone.
        summary: over all erased concepts.
        gates: what was expected, decided on the bad end of each interval.
        fid: between the pictures of both models, by group; empty where it was not asked for.
        rows: every pair of pictures and what was seen in it.
        pictures: some of the pairs, to look at.
        blocks: what differs between both models, by block of the networks.
        leaks, drifts: as `apply` measured them; () where it is not known.
        recipe: text of the recipe that made the second model from the first, '' if not known.
        settings: what the figures depend on.
        environment: versions and device, which should not matter to them.
        notes: what the figures do not say.
    """

    kind: ClassVar[str] = "verify"

    before: ModelFacts
    after: ModelFacts
    verdict: str
    concepts: tuple[str, ...]
    judges: tuple[JudgeFacts, ...]
    sets: tuple[SetFigures, ...]
    summary: Summary
    gates: tuple[Gate, ...]
    fid: Mapping[Group, Figure] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    attacks: tuple[Attack, ...] = ()
    pictures: tuple[PicturePair, ...] = ()
    blocks: tuple[BlockChange, ...] = ()
    leaks: tuple[Leak, ...] = ()
    drifts: tuple[Drift, ...] = ()
    recipe: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    environment: Mapping[str, Setting] = field(default_factory=dict)
    cost: Cost | None = None
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return not self.missed

    @property
    def missed(self) -> tuple[Gate, ...]:
        """The gates that did not pass."""
        return tuple(gate for gate in self.gates if not gate.passed)

    def of(self, *groups: Group) -> tuple[SetFigures, ...]:
        """The sets of some groups."""
        return tuple(one for one in self.sets if one.group in groups)
