"""Layout: which model a checkpoint is, by structure, and where its sites are.

`detect` answers exactly one layout or raises with what it saw; there is no default. The data is in
`layouts/*.yaml`. No method is known here and no tensor is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from surgery.errors import LayoutError
from surgery.layouts.fit import Configs, Fitted, Shaped, layered, recognise, resolve
from surgery.layouts.names import Index, shown
from surgery.layouts.schema import Located, Spec, load_specs
from surgery.layouts.text import TextShape, text_shape
from surgery.selector import Site, select

__all__ = ["RUN", "Layout", "Site", "TextShape", "detect", "layout_names", "twin_name"]

RUN = ("sd1", "sd2", "sdxl", "if")
"""Families of models that this release runs, and does not only edit."""

NoConfig = Mapping[str, object] | None
_NETWORK = re.compile(r"\s*(?:(text\d*)|cross_attn|self_attn|context_attn|ff|resnet)(?=[.\[\s]|$)")


@dataclass(frozen=True, slots=True)
class Layout:
    """A recognised checkpoint.

    Args:
        name: the layout, for example `sd1-ldm`.
        family: `sd1`, `sd2`, `sdxl`, ...: the same in every naming.
        naming: `diffusers`, `ldm`, `sgm`, ...
        about: one sentence for people.
        sites: every site, grouped by kind, each kind in execution order.
        prefixes: role (`denoiser`, `text`, `text2`, ...) -> what stands before its names.
        towers: text role -> its shape.
        twins: tensor -> the name of its EMA copy in the same file.
        located: where models of this family keep concepts, if that was found.
    """

    name: str
    family: str
    naming: str
    about: str
    sites: tuple[Site, ...] = field(repr=False)
    prefixes: Mapping[str, str]
    towers: Mapping[str, TextShape]
    twins: Mapping[str, str] = field(repr=False)
    located: Located | None = field(default=None, repr=False)

    def select(self, selector: str) -> tuple[Site, ...]:
        """Return the sites a selector names, grouped by kind, in execution order.

        Raises:
            LayoutError: the selector cannot be read, or a term of it selects nothing.
        """
        self._check_network(selector)
        return select(selector, self.sites)

    def _check_network(self, selector: str) -> None:
        """Sites of a network that a file comes without are not misspelt but elsewhere."""
        if found := _NETWORK.match(selector):
            role = found[1] or "denoiser"
            if role not in self.prefixes:
                what = f"{role} tower" if found[1] else role
                there = ", ".join(self.prefixes)
                raise LayoutError(
                    f"this {self.name} checkpoint has no {what}; it has: {there}",
                    hint="give the whole model",
                )

    def window(self, kind: str) -> str:
        """Return the selector of the keys and values that control a kind of concept.

        Args:
            kind: style, object or fact.
        Raises:
            LayoutError: it was not found for models of this family with so many layers.
        """
        layers = self.counts.get("cross_attn.k", 0)
        found = self._published()
        if found is None or kind not in found.windows:
            raise LayoutError(
                f"nothing says which of the {layers} cross-attention layers of this {self.name}"
                f" model control a {kind}",
                hint="name them in `where`, or the report of a probe: {from: report.json, top: 1}",
            )
        return f"cross_attn.{{k,v}}[{found.windows[kind]}]"

    @property
    def probing(self) -> tuple[int, int] | None:
        """How many cross-attention layers a probe takes at once, and its step, both as published.

        None where nothing was published for models of this family with so many layers.
        """
        found = self._published()
        return None if found is None else found.probing

    def _published(self) -> Located | None:
        """What was found for the family, where it holds for as many layers as there are here."""
        found = self.located
        alike = found is not None and found.layers == self.counts.get("cross_attn.k")
        return found if alike else None

    @property
    def counts(self) -> dict[str, int]:
        """How many sites there are of each kind."""
        counts: dict[str, int] = {}
        for site in self.sites:
            counts[site.kind] = counts.get(site.kind, 0) + 1
        return counts

    @property
    def text(self) -> TextShape:
        """The shape of the first text tower."""
        return self.tower("text")

    def tower(self, role: str) -> TextShape:
        """Return the shape of a text tower.

        Raises:
            LayoutError: the checkpoint has no such tower, or its heads cannot be told.
        """
        shape = self.towers.get(role)
        if shape is None:
            there = ", ".join(self.towers) or "none"
            raise LayoutError(f"this {self.name} checkpoint has no {role} tower; it has: {there}")
        if shape.heads < 1:
            raise LayoutError(
                f"nothing says how many heads the {role} tower of width {shape.width} has",
                where=self.prefixes[role],
                hint="put the text encoder's config.json beside it",
            )
        return shape

    def ema_twin(self, tensor: str) -> str | None:
        """Return the name of a tensor's EMA copy in this checkpoint, if it has one."""
        return self.twins.get(tensor)


def detect(
    checkpoint: Mapping[str, Shaped], configs: Configs | Mapping[str, NoConfig] | None = None
) -> Layout:
    """Return the one layout that describes a checkpoint, from names, shapes and configurations.

    Args:
        checkpoint: tensor name -> anything with a shape; a folder's names are `component/name`.
        configs: relative path -> parsed JSON or None, as a function or mapping; left out, the
            checkpoint's own `json` method is used if it has one.
    Raises:
        LayoutError: no layout fits, or more than one, or the one that fits misses a module.
    """
    index = Index(checkpoint)
    answers = [(spec, recognise(spec, index, checkpoint)) for spec in load_specs()]
    fits = [(spec, fitted) for spec, fitted in answers if not isinstance(fitted, str)]
    if len(fits) != 1:
        raise _undecided([spec.name for spec, _ in fits], answers, checkpoint)
    spec, fitted = fits[0]
    return _build(spec, fitted, index, checkpoint, _reader(checkpoint, configs))


def layout_names() -> tuple[str, ...]:
    """Return the names of all layouts."""
    return tuple(spec.name for spec in load_specs())


def twin_name(tensor: str, ema: tuple[str, str]) -> str:
    """Return the name an EMA copy has: LDM's LitEma drops the dots.

    Args:
        ema: the level that is dropped and the one put in its place, `model.` and `model_ema.`.
    """
    return ema[1] + tensor.removeprefix(ema[0]).replace(".", "")


def _build(
    spec: Spec,
    fitted: tuple[Fitted, ...],
    index: Index,
    checkpoint: Mapping[str, Shaped],
    configs: Configs,
) -> Layout:
    roles = [fit.role.role for fit in fitted]
    if double := [role for role in roles if roles.count(role) > 1]:
        places = " and ".join(repr(fit.prefix) for fit in fitted if fit.role.role == double[0])
        raise LayoutError(f"{spec.name}: the {double[0]} is there twice, at {places}")
    sites = {fit.role.role: resolve(fit, index, checkpoint, configs) for fit in fitted}
    towers = {
        fit.role.role: text_shape(fit, _depth(fit, sites[fit.role.role]), configs)
        for fit in fitted
        if fit.role.text is not None
    }
    return Layout(
        name=spec.name,
        family=spec.family,
        naming=spec.naming,
        about=spec.about,
        sites=tuple(site for found in sites.values() for site in found),
        prefixes={fit.role.role: fit.prefix for fit in fitted},
        towers=towers,
        twins=_twins(spec, [s for found in sites.values() for s in found], checkpoint),
        located=spec.located,
    )


def _depth(fitted: Fitted, sites: tuple[Site, ...]) -> int:
    kind = f"{fitted.role.role}.{layered(fitted.role.part)[0].kind}"
    return sum(site.kind == kind for site in sites)


def _twins(spec: Spec, sites: list[Site], checkpoint: Mapping[str, Shaped]) -> dict[str, str]:
    """EMA copies by tensor; a file that has some must have one for every denoiser site."""
    if spec.ema is None:
        return {}
    lead, instead = spec.ema
    if not any(name.startswith(instead) for name in checkpoint):
        return {}
    pairs = {name: twin_name(name, spec.ema) for name in checkpoint if name.startswith(lead)}
    for site in sites:
        if site.tensor in pairs and pairs[site.tensor] not in checkpoint:
            raise LayoutError(
                f"the EMA copy of {site} is missing",
                where=pairs[site.tensor],
                hint="the file holds EMA copies of other tensors",
            )
    return {name: twin for name, twin in pairs.items() if twin in checkpoint}


def _reader(
    checkpoint: Mapping[str, Shaped], configs: Configs | Mapping[str, NoConfig] | None
) -> Configs:
    if isinstance(configs, Mapping):
        return configs.get
    own = getattr(checkpoint, "json", None) if configs is None else configs
    return own if callable(own) else lambda path: None


def _undecided(
    fits: list[str],
    answers: list[tuple[Spec, tuple[Fitted, ...] | str]],
    checkpoint: Mapping[str, Shaped],
) -> LayoutError:
    seen = _seen(checkpoint)
    if fits:
        return LayoutError(f"several layouts describe this checkpoint: {', '.join(fits)}; {seen}")
    near = [f"{s.name} ({why})" for s, why in answers if isinstance(why, str) and why[:3] != "no "]
    hint = f"nearest: {'; '.join(near[:3])}" if near else f"known: {', '.join(layout_names())}"
    return LayoutError(f"no layout describes this checkpoint; {seen}", hint=hint)


def _seen(checkpoint: Mapping[str, Shaped]) -> str:
    groups: dict[str, int] = {}
    for name in checkpoint:
        group = re.split(r"(?<=/)|(?<=\.)", name, maxsplit=1)[0]
        groups[group] = groups.get(group, 0) + 1
    largest = sorted(groups, key=lambda group: -groups[group])[:6]
    counted = ", ".join(f"{shown(group)} {groups[group]}" for group in largest)
    telling = [name for name in checkpoint if re.search(r"attn|proj|embed", name)][:3]
    such = ", ".join(shown(name) for name in telling)
    return f"seen {len(checkpoint)} tensors ({counted})" + (f", such as {such}" if such else "")
