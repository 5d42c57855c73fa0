"""What a case of the corpus is, and how its files are made. Every file is small or sparse."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["model", "recipe"]
FILE = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Case:
    """One input.

    Args:
        make: builds it beneath an empty folder and returns the address to give to surgery.
        says: what the one sentence must hold; nothing for an input that must be accepted.
        names: the file that the sentence must name.
        code: the exit code.
    """

    group: str
    name: str
    make: Callable[[Path], str]
    says: str = ""
    names: str = FILE
    kind: Kind = "model"
    code: int = 2

    @property
    def id(self) -> str:
        return f"{self.group}: {self.name}"


def file_case(
    group: str, name: str, raw: bytes, says: str = "", *, file: str = FILE, size: int = 0
) -> Case:
    """A single file; `size` makes it sparse and so large, without taking room on the disk."""

    def make(folder: Path) -> str:
        path = put(folder / file, raw)
        if size:
            os.truncate(path, size)
        return str(path)

    return Case(group, name, make, says, file)


def file_cases(group: str, cases: Mapping[str, tuple[bytes, str]]) -> list[Case]:
    return [file_case(group, name, raw, says) for name, (raw, says) in cases.items()]


def put(path: Path, raw: bytes | str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return path
