"""The hostile corpus: every input that must be refused, every odd one that must be kept.

Deterministic: the same bytes on every run and machine. Nothing here is larger than 100 kB on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.hostile import bad_entries, bad_files, bad_folders, bad_headers, bad_recipes, odd
from tests.hostile.cases import Case, put
from tests.store.build import file_bytes

BAD: tuple[Case, ...] = (
    *bad_headers.cases(),
    *bad_entries.cases(),
    *bad_files.cases(),
    *bad_folders.cases(),
    *bad_recipes.cases(),
)
ODD: tuple[Case, ...] = tuple(odd.cases())
NOTHING = "version: 1\nname: nothing\nedits: []\n"


@dataclass(frozen=True, slots=True)
class Built:
    """A case on the disk: what to give to surgery, and where its output would go."""

    case: Case
    address: str
    recipe: str
    good: str
    out: Path

    @property
    def commands(self) -> dict[str, list[str]]:
        """The commands that meet this input, by name."""
        out = ["-o", str(self.out)]
        if self.case.kind == "recipe":
            return {
                "check": ["recipe", "check", "--", self.address],
                "apply": ["apply", *out, "-m", self.good, "--", self.address],
            }
        return {
            "inspect": ["inspect", "--", self.address],
            "inspect json": ["inspect", "--format", "json", "--", self.address],
            "apply": ["apply", *out, "-m", self.address, "--", self.recipe],
            "diff": ["diff", "--", self.address, self.good],
            "diff back": ["diff", "--", self.good, self.address],
        }


def build(case: Case, folder: Path) -> Built:
    """Make the files of a case beneath an empty folder."""
    recipe = put(folder / "nothing.yaml", NOTHING)
    good = put(folder / "good.safetensors", file_bytes({"a": ("F32", (2,))}))
    (folder / "in").mkdir()
    address = case.make(folder / "in")
    return Built(case, address, str(recipe), str(good), folder / "out")
