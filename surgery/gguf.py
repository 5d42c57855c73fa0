"""What is in a GGUF file, from its header alone. Reads no tensor and edits none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from surgery.report import Report
from surgery.store.gguf import GgufHeader, GgufTensor, Source, Value, read_gguf


@dataclass(frozen=True, slots=True)
class GgufAnatomy(Report):
    """What a GGUF file is.

    Args:
        types: stored type -> parameters.
        metadata: its entries; of a list only the length.
    """

    kind: ClassVar[str] = "gguf"

    address: str
    format_version: int
    architecture: str
    tensors: int
    parameters: int
    nbytes: int
    types: Mapping[str, int]
    metadata: Mapping[str, Value]
    tensor_list: tuple[GgufTensor, ...]


def gguf_anatomy(source: Source) -> GgufAnatomy:
    """Describe a GGUF file.

    Raises:
        CheckpointError: the header is cut short or false.
        HubError: the Hub does not give it.
    """
    header = read_gguf(source)
    types = _types(header)
    return GgufAnatomy(
        address=source.address,
        format_version=header.version,
        architecture=header.architecture,
        tensors=len(header.tensors),
        parameters=sum(types.values()),
        nbytes=source.size,
        types=types,
        metadata=header.metadata,
        tensor_list=header.tensors,
    )


def _types(header: GgufHeader) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for tensor in header.tensors:
        counts[tensor.type] += prod(tensor.shape)
    return dict(counts.most_common())
