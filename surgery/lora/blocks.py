"""Where a UNet's block stands in the other naming: LDM counts through, diffusers counts by level.

Numbers only; the names around them are those of the layouts' parts.
"""

from __future__ import annotations

from surgery.errors import LayoutError
from surgery.layouts.names import HOLES, Index, Numbers
from surgery.layouts.schema import Part, SitePattern

DOWN, MIDDLE, UP = range(3)


def place(pattern: str, part: Part, prefix: str, tensor: str, index: Index) -> tuple[int, Numbers]:
    """Which block pattern of a part a tensor matches, and the numbers in its holes.

    Args:
        pattern: a site's pattern, `@` in it stands for the block.
    """
    for rank, block in enumerate(part.order):
        for numbers, name in index.find(prefix + pattern.replace("@", block)).items():
            if name == tensor:
                return rank, numbers
    raise LayoutError(f"this tensor is in no block of {part.name}", where=tensor)


def name(pattern: str, part: Part, rank: int, numbers: Numbers) -> str:
    """The name at a place: the reverse of `place`."""
    words, left = pattern.replace("@", part.order[rank]).split("."), iter(numbers)
    return ".".join(str(next(left)) if word in HOLES else word for word in words)


def by_level(rank: int, numbers: Numbers, per_level: int) -> Numbers:
    """LDM's numbers as diffusers': (block, layer, ...); the first input block is no level's."""
    if rank == MIDDLE:
        return (0, *numbers)
    return (*divmod(numbers[0] - (rank == DOWN), per_level), *numbers[1:])


def counted_through(rank: int, numbers: Numbers, per_level: int) -> Numbers:
    """Diffusers' numbers as LDM's: the reverse of `by_level`."""
    if rank == MIDDLE:
        return numbers[1:]
    level, layer, *rest = numbers
    return (level * per_level + layer + (rank == DOWN), *rest)


def per_level(prefix: str, index: Index) -> int:
    """How many blocks LDM counts for each level: the layers, and one that goes down or up."""
    if layers := index.find(f"{prefix}up_blocks.0.resnets.{{n}}.conv1.weight"):
        return len(layers)
    downs = index.find(f"{prefix}input_blocks.{{*}}.0.op.weight")
    blocks = index.find(f"{prefix}output_blocks.{{*}}.0.in_layers.2.weight")
    return max(1, len(blocks) // (len(downs) + 1))


def pattern_of(part: Part, kind: str) -> SitePattern:
    """The pattern of a kind of site.

    Raises:
        LayoutError: the part has no such site.
    """
    for site in part.sites:
        if site.kind == kind:
            return site
    raise LayoutError(f"{part.name} has no {kind}")
