"""Does a layout describe these names? First by a few tell-tale names, then to the last site.

`recognise` answers yes or why not; `resolve` lists the sites or raises, so that a renamed or
missing module is an error and never an edit that silently does nothing. Opens no tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from surgery.errors import LayoutError
from surgery.layouts.counts import expected
from surgery.layouts.heads import heads_by_width, with_heads
from surgery.layouts.names import Index, Numbers, filled, gap, shown
from surgery.layouts.schema import Part, Role, SitePattern, Spec
from surgery.selector import Site


class Shaped(Protocol):
    """What detection reads of a tensor."""

    @property
    def shape(self) -> tuple[int, ...]: ...


Tensors = Mapping[str, Shaped]
Configs = Callable[[str], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A role found in a checkpoint.

    Args:
        base: the layout's prefix, for example `text_encoder/`.
        prefix: base and the part's own level, for example `text_encoder/text_model.`.
        facts: numbers read from shapes; None where tensors disagree or are absent.
    """

    role: Role
    base: str
    prefix: str
    facts: Mapping[str, int | None]

    @property
    def config(self) -> str:
        """The configuration file beside these tensors; empty inside a single file."""
        return f"{self.base}config.json" if self.base == "" or self.base.endswith("/") else ""


def recognise(spec: Spec, index: Index, tensors: Tensors) -> tuple[Fitted, ...] | str:
    """Return the roles that a checkpoint fills in a layout, or why it is not that layout."""
    fitted: list[Fitted] = []
    for role in spec.roles:
        places = [place for base in role.prefixes if (place := _place(role, base, index))]
        if not places and not role.optional:
            return f"no {role.part.name} at {' or '.join(map(repr, role.prefixes))}"
        if not places and (base := _occupied(role, tensors)):
            return f"{base!r} is there but is no {role.part.name}"
        for base, prefix in places:
            if found := [name for name in role.lacks if index.find(prefix + name)]:
                return f"{prefix}{found[0]} is there"
            facts = _facts(role.part, prefix, index, tensors)
            fitted.append(Fitted(role, base, prefix, facts))
    if beside := [p for p in spec.lacks if any(name.startswith(p) for name in tensors)]:
        return f"{beside[0]!r} is there"
    failed = [rule for rule in spec.where if not _holds(rule, fitted)]
    return f"not {failed[0]}" if failed else tuple(fitted)


def resolve(fitted: Fitted, index: Index, tensors: Tensors, configs: Configs) -> tuple[Site, ...]:
    """Return every site of a role, kind by kind in forward order.

    Raises:
        LayoutError: a module is missing, renamed, of another shape, or uncounted.
    """
    part, prefix = fitted.role.part, fitted.prefix
    found = {site.kind: _stored(site, part, prefix, index) for site in part.sites}
    _complete(fitted, found)
    _no_gaps(fitted, found)
    _count(fitted, found, configs)
    _no_strays(fitted, found, tensors)
    sites = [
        site
        for spec in part.sites
        for site in _sites(fitted, spec, _used(fitted.role, found[spec.kind]), tensors)
    ]
    for spec in fitted.role.beside:
        stored = _stored(spec, part, fitted.base, index)
        sites += _sites(fitted, spec, list(stored.values()), tensors)
    return tuple(_with_heads(fitted, sites, tensors, configs))


def layered(part: Part) -> list[SitePattern]:
    """The kinds that every layer has, as against those a network has once."""
    return [site for site in part.sites if "@" in site.patterns[0] or "{" in site.patterns[0]]


def _place(role: Role, base: str, index: Index) -> tuple[str, str] | None:
    for level in role.part.prefixes:
        names = [*role.part.anchors, *role.has]
        if all(_any(role.part, base + level, name, index) for name in names):
            return base, base + level
    return None


def _any(part: Part, prefix: str, name: str, index: Index) -> bool:
    return any(index.find(prefix + text) for text in _blocks(part, name))


def _occupied(role: Role, tensors: Tensors) -> str | None:
    taken = [p for p in role.prefixes if p and any(name.startswith(p) for name in tensors)]
    return taken[0] if taken else None


def _blocks(part: Part, text: str) -> list[str]:
    lead, _, rest = text.partition(".")
    if not lead.startswith("@"):
        return [text]
    return [f"{block}.{rest}" for block in part.blocks[lead[1:]].order]


def _facts(part: Part, prefix: str, index: Index, tensors: Tensors) -> dict[str, int | None]:
    patterns = {site.kind: site.patterns[0] for site in part.sites}
    facts: dict[str, int | None] = {}
    for fact, (name, axis) in part.facts.items():
        texts = _blocks(part, patterns.get(name, name))
        shapes = [tensors[n].shape for t in texts for n in index.find(prefix + t).values()]
        values = {len(s) if isinstance(axis, str) else _axis(s, axis) for s in shapes}
        facts[fact] = values.pop() if len(values) == 1 else None
    return facts


def _axis(shape: tuple[int, ...], axis: int) -> int | None:
    return shape[axis] if axis < len(shape) else None


def _holds(rule: str, fitted: list[Fitted]) -> bool:
    """Whether `a.x == b.y + 3`, `!=` or `in 4 5` holds; a rule on an absent role says nothing."""
    values = {f"{f.role.role}.{fact}": value for f in fitted for fact, value in f.facts.items()}
    left, relation, *right = rule.replace(" + ", " ").split()
    facts = [word for word in (left, *right) if not word.isdigit()]
    roles = {f.role.role for f in fitted}
    if any(fact.split(".")[0] not in roles for fact in facts):
        return True
    numbers = [values.get(word) if word in facts else int(word) for word in right]
    known = [number for number in numbers if number is not None]
    value = values.get(left)
    if value is None or len(known) != len(numbers):
        return False
    return value in known if relation == "in" else (value == sum(known)) == (relation == "==")


def _stored(site: SitePattern, part: Part, prefix: str, index: Index) -> dict[Numbers, str]:
    """The tensors of a kind by place: (block, numbers...) in forward order."""
    if site not in layered(part):
        names = [name for text in site.patterns for name in index.find(prefix + text).values()]
        return {(i,): name for i, name in enumerate(names)}
    return {
        (rank, *numbers): name
        for rank, text in enumerate(_blocks(part, site.patterns[0]))
        for numbers, name in index.find(prefix + text).items()
    }


def _complete(fitted: Fitted, found: Mapping[str, Mapping[Numbers, str]]) -> None:
    part = fitted.role.part
    for run in part.blocks:
        kinds = _kinds(part, run, found)
        places = sorted({place for site in kinds for place in found[site.kind]})
        for site in kinds:
            if absent := [place for place in places if place not in found[site.kind]]:
                text = fitted.prefix + _name(part, site, absent[0])
                hint = f"{len(found[site.kind])} of {len(places)} {site.kind} are there"
                raise LayoutError("this tensor is missing or renamed", where=text, hint=hint)
    for site in part.sites:
        if not found[site.kind] and not site.optional:
            text = fitted.prefix + _blocks(part, site.patterns[0])[0]
            raise LayoutError("this tensor is missing or renamed", where=text)


def _kinds(
    part: Part, blocks: str, found: Mapping[str, Mapping[Numbers, str]]
) -> list[SitePattern]:
    """The kinds that each of these blocks has."""
    sites = [site for site in layered(part) if site.blocks == blocks]
    return [site for site in sites if found[site.kind] or not site.optional]


def _no_gaps(fitted: Fitted, found: Mapping[str, Mapping[Numbers, str]]) -> None:
    for site in layered(fitted.role.part):
        for rank, text in enumerate(_blocks(fitted.role.part, site.patterns[0])):
            missing = gap(text, [place[1:] for place in found[site.kind] if place[0] == rank])
            if missing:
                name = _name(fitted.role.part, site, (rank, *missing))
                raise LayoutError(
                    "layers follow it, but it is not there", where=fitted.prefix + name
                )


def _name(part: Part, site: SitePattern, place: Numbers) -> str:
    return filled(_blocks(part, site.patterns[0])[place[0]], place[1:])


def _count(fitted: Fitted, found: Mapping[str, Mapping[Numbers, str]], configs: Configs) -> None:
    part = fitted.role.part
    counted = {run: blocks.count for run, blocks in part.blocks.items() if blocks.count}
    config = configs(fitted.config) if fitted.config and counted else None
    for run, rule in counted.items():
        stated = None if config is None else expected(rule, config, fitted.config)
        kinds = [site.kind for site in _kinds(part, run, found) if found[site.kind]]
        if stated is not None and kinds and len(found[kinds[0]]) != stated:
            raise LayoutError(
                f"{len(found[kinds[0]])} {kinds[0]} in the tensor names, {stated} by the"
                " configuration",
                where=fitted.config,
                hint="a module is missing or renamed, or this is another model's configuration",
            )


def _no_strays(
    fitted: Fitted, found: Mapping[str, Mapping[Numbers, str]], tensors: Tensors
) -> None:
    claimed = {name for places in found.values() for name in places.values()}
    watch = fitted.role.part.watch
    for name, tensor in tensors.items():
        if name in claimed or not name.endswith(".weight") or len(tensor.shape) < 2:
            continue
        if name.startswith(fitted.prefix) and any(word in name for word in watch):
            raise LayoutError(
                f"a matrix that {fitted.role.part.name} does not have",
                where=shown(name),
                hint="a renamed module, or an adapter merged into the file",
            )


def _with_heads(
    fitted: Fitted, sites: list[Site], tensors: Tensors, configs: Configs
) -> list[Site]:
    headed = fitted.role.part.headed
    if not headed:
        return sites
    config = configs(fitted.config) if fitted.config else None
    heads = heads_by_width(config, fitted.role.heads or {})
    return with_heads(
        sites, headed, heads, {site.tensor: tensors[site.tensor].shape[0] for site in sites}
    )


def _used(role: Role, found: Mapping[Numbers, str]) -> list[str]:
    """Names without the layers that are stored and never run."""
    names = list(found.values())
    return names[: (role.unused or {}).get(len(names), len(names))]


def _sites(fitted: Fitted, spec: SitePattern, names: list[str], tensors: Tensors) -> list[Site]:
    lead = "" if fitted.role.role == "denoiser" else f"{fitted.role.role}."
    square = spec.kind in fitted.role.part.square
    sites = []
    for number, name in enumerate(names):
        shape, (share, of) = tensors[name].shape, spec.share or (0, 1)
        if not shape or shape[0] % of or (square and shape[0] != of * shape[-1]):
            raise LayoutError(f"{lead}{spec.kind} of shape {list(shape)}", where=shown(name))
        step = shape[0] // of
        rows = (share * step, (share + 1) * step) if spec.share else None
        sites.append(Site(lead + spec.kind, number, name, rows))
    return sites
