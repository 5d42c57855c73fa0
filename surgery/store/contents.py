"""What an open checkpoint is: a mapping from tensor names to where their bytes lie.

Indexing reads no data. How the files are found is for `local` and `hub`, what tensors mean for
`layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Literal

from surgery.errors import CheckpointError
from surgery.store.entries import DTYPE_BITS
from surgery.store.files import Stamp, read_span, read_spans
from surgery.store.header import Header
from surgery.store.pickled import Origin
from surgery.store.record import NAME, beside, read_text
from surgery.store.strict_json import load_file
from surgery.store.text import quoted, visible

Kind = Literal["file", "sharded", "folder", "dduf"]


@dataclass(frozen=True, slots=True)
class TensorRef:
    """Where one tensor lies: `start` counts from the beginning of `file`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    file: Path
    start: int

    def read(self, first_row: int | None = None, last_row: int | None = None) -> bytes:
        """Return the tensor's bytes, or those of rows [first_row, last_row) along dimension 0.

        Raises:
            CheckpointError: rows outside the tensor or not on whole bytes, or a file cut short.
        """
        if first_row is None and last_row is None:
            return self.span(self.start, self.nbytes)
        first = 0 if first_row is None else first_row
        last = (self.shape[0] if self.shape else 0) if last_row is None else last_row
        if not self.shape or not 0 <= first <= last <= self.shape[0]:
            raise self._error(f"no rows {first} to {last} in shape {list(self.shape)}")
        bits = prod(self.shape[1:]) * DTYPE_BITS[self.dtype]
        if first * bits % 8 or last * bits % 8:
            raise self._error(f"rows {first} to {last} of {self.dtype} do not fill whole bytes")
        begin = first * bits // 8
        return self.span(self.start + begin, last * bits // 8 - begin)

    def rows(self, index: Sequence[int]) -> list[bytes]:
        """Return the bytes of single rows along dimension 0, in the order of `index`.

        Raises:
            CheckpointError: as `read` does.
        """
        bits = prod(self.shape[1:]) * DTYPE_BITS[self.dtype]
        if bits % 8 or not self.shape or not all(0 <= row < self.shape[0] for row in index):
            return [self.read(row, row + 1) for row in index]
        return self.spans([self.start + row * bits // 8 for row in index], bits // 8)

    def span(self, start: int, count: int) -> bytes:
        """Return `count` bytes of the tensor's file from `start` on."""
        return read_span(self.file, start, count)

    def spans(self, starts: Sequence[int], count: int) -> list[bytes]:
        """Return `count` bytes of the tensor's file from each start on."""
        return read_spans(self.file, starts, count)

    def _error(self, what: str) -> CheckpointError:
        return CheckpointError(what, where=f"{visible(str(self.file))}:{visible(self.name)}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checkpoint(Mapping[str, TensorRef]):
    """The tensors and files of one model, as they were when it was opened.

    Args:
        address: what the user called it.
        root: the file, the folder of a shard index, or the folder itself.
        headers: relative name -> header, for each weight file.
        stamps: relative name -> stamp, for every file, weights first.
        tensors: name -> reference, in file order; in a pipeline "component/name".
        origins: relative name of a converted weight file -> the pickles that it was made from.
    """

    address: str
    root: Path
    kind: Kind
    headers: Mapping[str, Header]
    stamps: Mapping[str, Stamp]
    tensors: Mapping[str, TensorRef]
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __getitem__(self, name: str) -> TensorRef:
        """Return the reference of one tensor."""
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over tensor names in file order."""
        return iter(self.tensors)

    def __len__(self) -> int:
        """Return the number of tensors."""
        return len(self.tensors)

    def __repr__(self) -> str:
        """Name the address, kind and size, not the thousands of tensors."""
        return f"<Checkpoint {quoted(self.address)}: {self.kind}, {len(self)} tensors>"

    @property
    def files(self) -> tuple[Path, ...]:
        """The weight files."""
        return tuple(self.path(name) for name in self.headers)

    @property
    def side_files(self) -> tuple[Path, ...]:
        """Every other file of the folder: configs, tokenizers, other variants."""
        return tuple(self.path(name) for name in self.stamps if name not in self.headers)

    @property
    def metadata(self) -> dict[str, Mapping[str, str]]:
        """Relative name of each weight file -> its `__metadata__`."""
        return {name: header.metadata for name, header in self.headers.items()}

    @property
    def total_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(stamp.size for stamp in self.stamps.values())

    @property
    def fingerprint(self) -> str:
        """Hex digest of names, headers and sizes; equal for models that differ in values only."""
        digest = sha256()
        for name, header in sorted(self.headers.items()):
            # A model keeps its fingerprint when its file is renamed, not when a part of it is.
            shown = "" if self.kind == "file" else name
            size = self.stamps[name].size
            for part in (shown.encode("utf-8", "surrogateescape"), str(size).encode(), header.raw):
                digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()

    @property
    def inputs(self) -> Mapping[Path, Stamp]:
        """Every file that was opened, pickles and what was made of them included."""
        found = {self.path(name): stamp for name, stamp in self.stamps.items()}
        for origin in self.origins.values():
            found |= origin.stamps
        return found

    def path(self, relative: str) -> Path:
        """Return where the file of this relative name lies."""
        if relative in self.origins:
            return self.origins[relative].weights
        return self.root if self.kind == "file" else self.root / relative

    def side_file(self, relative: str) -> Path:
        """Return where a file beside the weights lies, to be read."""
        return self.path(relative)

    def json(self, relative: str) -> dict[str, object] | None:
        """Return a JSON side file such as "unet/config.json", or None when there is none."""
        if relative not in self.stamps or relative in self.headers:
            return None
        return load_file(self.path(relative))

    def folder(self, relative: str) -> Path:
        """Return where a folder of side files such as "tokenizer" lies; it need not exist."""
        if self.kind != "file":
            return self.root / relative
        beside = [path for origin in self.origins.values() for path in origin.stamps]
        return (*beside, self.root)[0].parent / relative

    def record(self) -> str | None:
        """Return the text of the record of the model's last edit, None where there is none.

        Raises:
            CheckpointError: what has its name is no record.
        """
        if self.kind not in {"file", "dduf"}:
            return read_text(self.root / NAME)
        # A link may lie beside its own, as in the cache of the Hub, or lead to a file that has one.
        return read_text(beside(self.root)) or read_text(beside(self.root.resolve()))

    def prepare(self, names: Iterable[str]) -> None:
        """Take notice of tensors that will be read whole; on this machine there is no need to."""

    def here(self, on_bytes: Callable[[int], None] | None = None) -> Checkpoint:
        """Return the same model with every file on this machine.

        Args:
            on_bytes: called with the number of bytes that just came.
        """
        return self

    @property
    def is_remote(self) -> bool:
        """Whether the model is on the Hub; files of it on this machine are those of the cache."""
        return False

    @property
    def fetched(self) -> int:
        """Bytes of weight files that came over the network so far."""
        return 0

    @property
    def requests(self) -> int:
        """Requests that were made for them."""
        return 0

    @property
    def missing_bytes(self) -> int:
        """Bytes that `here` would download."""
        return 0

    def claims(self, place: Path) -> int:
        """Return how many bytes `here` would take on the disk that `place` is on."""
        return 0
