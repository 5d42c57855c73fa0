"""The module of a site in another naming of the same model, from the layouts alone.

A site's kind and depth are the same in every naming, so a checkpoint in single-file names gives the
module names of diffusers without any pattern of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from surgery.errors import LayoutError
from surgery.layout import Layout, Site
from surgery.layouts.names import Index
from surgery.layouts.schema import Part, Role, Spec, load_specs
from surgery.lora import blocks
from surgery.store.checkpoint import Checkpoint

# Namings in which a component's tensors are called as the modules in memory.
IN_MEMORY = ("diffusers", "transformers")
DENOISER = "denoiser"
_WEIGHT = ".weight"


@dataclass(frozen=True, slots=True)
class Module:
    """One linear layer.

    Args:
        role: `denoiser`, `text`, `text2`, ...
        component: the folder that a pipeline keeps it in, for example `text_encoder`.
        path: its name inside the component, `text_model.` included.
    """

    role: str
    component: str
    path: str


class Modules:
    """Module names of one checkpoint's sites."""

    def __init__(self, layout: Layout, checkpoint: Checkpoint) -> None:
        self._layout, self._index = layout, Index(checkpoint)
        self._own = next(spec for spec in load_specs() if spec.name == layout.name)

    def of(self, site: Site, namings: tuple[str, ...] = IN_MEMORY) -> Module:
        """Return a site's module.

        Args:
            namings: those that will do.

        Raises:
            LayoutError: the model has no layout in such a naming.
        """
        role, kind = self.role(site)
        place = _role(self._sibling(namings), role)
        path = self._path(site, kind, _role(self._own, role).part, place.part)
        component = _role(self._sibling(IN_MEMORY), role)
        return Module(role, _folder(component), place.part.prefixes[0] + path)

    def role(self, site: Site) -> tuple[str, str]:
        """A site's role, and its kind inside it."""
        role, _, kind = site.kind.partition(".")
        return (role, kind) if role in self._layout.prefixes else (DENOISER, site.kind)

    def part(self, role: str) -> str:
        """The name of the network that fills a role."""
        return _role(self._sibling(IN_MEMORY), role).part.name

    def _sibling(self, namings: tuple[str, ...]) -> Spec:
        if self._own.naming in namings:
            return self._own
        for spec in load_specs():
            if spec.family == self._own.family and spec.naming in namings:
                return spec
        raise LayoutError(
            f"the module names of {self._layout.name} in {' or '.join(namings)} are not known",
            hint="give the whole model, or its diffusers folder",
        )

    def _path(self, site: Site, kind: str, own: Part, other: Part) -> str:
        prefix = self._layout.prefixes[self.role(site)[0]]
        if own.name == other.name:
            return site.tensor.removeprefix(prefix).removesuffix(_WEIGHT)
        pattern = blocks.pattern_of(other, kind).patterns[0].removesuffix(_WEIGHT)
        if "@" not in pattern:
            return pattern.replace("{n}", str(site.index))
        mine = blocks.pattern_of(own, kind).patterns[0]
        rank, numbers = blocks.place(mine, own, prefix, site.tensor, self._index)
        to_levels = self._own.naming not in IN_MEMORY
        renumber = blocks.by_level if to_levels else blocks.counted_through
        per_level = blocks.per_level(prefix, self._index)
        return blocks.name(pattern, other, rank, renumber(rank, numbers, per_level))


def _role(spec: Spec, role: str) -> Role:
    return next(one for one in spec.roles if one.role == role)


def _folder(role: Role) -> str:
    """The component's folder: a part that may also stand alone has an empty prefix beside it."""
    return next(prefix for prefix in role.prefixes if prefix.endswith("/")).removesuffix("/")
