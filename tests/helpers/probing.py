"""Models of every family to probe, loaded once, with short studies and what checks on hooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from surgery.hooks import Hook
from surgery.judges import Judge
from surgery.judges.atelier import atelier_judge
from surgery.judges.noise import NoiseJudge
from surgery.layout import Layout
from surgery.localise.journal import Journal
from surgery.localise.run import Means, run_probe
from surgery.localise.study import Study
from surgery.model import DiffusersModel, load_model
from surgery.probes.base import Arm, Probe, Way
from surgery.probes.locogen import LocoGen
from surgery.probes.quick import Quick
from surgery.probes.trace_text import TraceText
from surgery.probes.trace_unet import TraceUnet
from surgery.questions import Pair, Question
from surgery.report import ProbeReport, Score
from surgery.runs import Sampling
from surgery.stage import Stage, unwatched
from tests.helpers.deepfloyd import write_if
from tests.helpers.pipelines import write_folder, write_single

TINY = ("sd1", "sd2", "sdxl", "if")
FAMILIES = (*TINY, "atelier")
LOUDER = 10

PAIRS = (
    Pair("a red ball in the style of van gogh", "a red ball", "van gogh"),
    Pair("a picture by van gogh", "a picture", "van gogh"),
)
QUESTION = Question("van gogh", "painting", "style", PAIRS)


@cache
def _root() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="probing")


@cache
def folder(family: str) -> Path:
    """A diffusers folder of a narrow model with random values."""
    place = Path(_root().name) / family
    return write_if(place) if family == "if" else write_folder(family, place)


@cache
def model(family: str) -> DiffusersModel:
    """One of FAMILIES, in memory."""
    return load_model("atelier") if family == "atelier" else _aloud(load_model(folder(family)))


def _aloud(loaded: DiffusersModel) -> DiffusersModel:
    """With random values text is hardly heard, and scores are shares of how much it is."""
    for layer in loaded.modules("cross_attn"):
        values = getattr(layer, "add_v_proj", None)
        (layer.get_submodule("to_v") if values is None else values).weight.mul_(LOUDER)
    return loaded


@cache
def single(family: str) -> DiffusersModel:
    """The same values as `model`, read from one file."""
    file = write_single(family, Path(_root().name) / f"{family}-single" / "m.safetensors")
    return _aloud(load_model(file, config=folder(family)))


def judge_of(family: str) -> Judge:
    """Atelier has a judge of its own; noise judges every model."""
    return atelier_judge() if family == "atelier" else NoiseJudge()


def study(
    *, prompts: int = 1, seeds: int = 2, steps: int = 2, guidance: float = 3.0, **more: object
) -> Study:
    """Few short runs; one amount of noise, so that it is known how many."""
    asked = replace(QUESTION, pairs=PAIRS[:prompts])
    given = Study(asked, Sampling(steps, guidance), tuple(range(seeds)), noises=(3.0,), batch=8)
    return replace(given, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Thinned:
    """Every `every`th place of a probe: as much of it as a test has time for."""

    probe: Probe
    every: int

    @property
    def name(self) -> str:
        return self.probe.name

    @property
    def way(self) -> Way:
        return self.probe.way

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        return self.probe.anchors(layout)

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        return self.probe.arms(layout, scored)[:: self.every]

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        return self.probe.found(scored)


def few(probe: Probe, loaded: DiffusersModel, places: int) -> Thinned:
    """About so many places of a probe, spread over all that it tries first."""
    return Thinned(probe, max(1, len(probe.arms(loaded.layout, ())) // places))


def probed(
    loaded: DiffusersModel,
    probe: Probe,
    asked: Study,
    judge: Judge | None = None,
    journal: Journal | None = None,
    stage: Stage = unwatched,
) -> ProbeReport:
    """A probe whose judge is the model's own noise, if no other is given."""
    means = Means(loaded, judge or NoiseJudge(), "here", journal or Journal(), stage)
    return run_probe(means, probe, asked)


def hooked(loaded: DiffusersModel) -> list[nn.Module]:
    """Modules of a model that have hooks."""
    networks = (loaded.denoiser, loaded.networks.vae, *loaded.towers.values())
    found = [module for one in networks if one is not None for module in one.modules()]
    return [module for module in found if module._forward_hooks or module._forward_pre_hooks]


@dataclass(slots=True)
class Contexts:
    """What the keys of every cross-attention layer were made from, layer by layer.

    Args:
        calls: of each layer, (2 n, length, width) a step: guidance's rows, then the prompts'.
    """

    calls: list[list[Tensor]] = field(default_factory=list)

    def prompts(self, layer: int) -> list[Tensor]:
        """Step by step, what the rows of the prompts read, (n, length, width)."""
        return [call.chunk(2)[1] for call in self.calls[layer]]

    def guidance(self) -> list[Tensor]:
        """Of every layer and step, what the rows of guidance read, (n, length, width)."""
        return [call.chunk(2)[0] for calls in self.calls for call in calls]


@contextmanager
def contexts(loaded: DiffusersModel) -> Iterator[Contexts]:
    """Note what the layers make their keys from, behind all hooks on the layers themselves."""
    layers = loaded.modules("cross_attn")
    noted = Contexts([[] for _ in layers])
    handles = [_note(layer, noted.calls[number]) for number, layer in enumerate(layers)]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()


def _note(layer: nn.Module, calls: list[Tensor]) -> RemovableHandle:
    # Where the context is normed first, channels come before places there.
    norm = getattr(layer, "norm_cross", None)
    reader = layer.get_submodule("to_k") if norm is None else norm

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        read = args[0].detach().clone()
        calls.append(read if norm is None else read.transpose(1, 2))

    return reader.register_forward_pre_hook(note)


def reading(module: nn.Module, into: list[Tensor]) -> Hook:
    """Notes what a module gives, and changes nothing."""

    def note(output: Tensor) -> Tensor:
        into.append(output.detach().clone())
        return output

    return Hook(module, "output", note)


METHODS: dict[str, Probe] = {
    "locogen": LocoGen(window=3, stride=4),
    "quick": Quick(window=3, stride=4),
    "trace_unet": TraceUnet(),
    "trace_text": TraceText(),
}


def small(method: str, loaded: DiffusersModel, places: int = 4) -> Probe:
    """About so many places of one of METHODS."""
    return few(METHODS[method], loaded, places)  # type: ignore[return-value]


def figures(report: ProbeReport) -> dict[tuple[str, str], tuple[float, float]]:
    """Place and tokens -> score and effect, anchors included."""
    return {
        (one.site, one.column): (one.mean, one.effect) for one in (*report.anchors, *report.scores)
    }


def farthest(one: ProbeReport, other: ProbeReport) -> float:
    """How far scores and effects of the same places are from one another."""
    mine, theirs = figures(one), figures(other)
    assert mine.keys() == theirs.keys()
    pairs = [pair for key in mine for pair in zip(mine[key], theirs[key], strict=True)]
    return max(abs(here - there) for here, there in pairs)


def ending_hook(loaded: DiffusersModel, module: str, kind: type[BaseException]) -> Hook:
    """Raises when the last module of a kind has run for the third time."""
    calls = []

    def change(output: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise kind
        return output

    return Hook(loaded.modules(module)[-1], "output", change)
