"""What can be shared is shared, the rest is copied, and the bytes are the same either way."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.errors import OutputError, ResourceError
from surgery.store import preflight
from surgery.store.checkpoint import open_checkpoint
from surgery.store.clone import BLOCK, Tail, share, shareable
from surgery.store.header import read_header
from surgery.store.preflight import check_copy
from surgery.store.writer import write
from tests.helpers.reflink import mounted, shared_bytes, why_not
from tests.store.build import contents, file_bytes, names

KEYS = {"surgery.recipe": "x" * 300}
MODEL = {f"t{n}": ("U8", (100_003,)) for n in range(4)}
UNABLE = ("EOPNOTSUPP", "EINVAL", "EXDEV", "ENOTTY", "EPERM", "ENOSYS")


class Sharing:
    """Does what the system's call does, by copying, under its rules; counts the calls."""

    def __init__(self) -> None:
        self.calls: list[Tail] = []

    def __call__(self, target: int, request: int, wanted: bytes) -> None:
        source, start, count, at = struct.unpack("qQQQ", wanted)
        ends = start + count == os.fstat(source).st_size
        if start % BLOCK or at % BLOCK or (count % BLOCK and not ends):
            raise OSError(errno.EINVAL, "unaligned")
        os.pwrite(target, os.pread(source, count, start), at)
        self.calls.append(Tail(start, count, at))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "m.safetensors"
    path.parent.mkdir()
    path.write_bytes(aligned(MODEL))
    return path


@pytest.fixture
def sharing(monkeypatch: pytest.MonkeyPatch) -> Sharing:
    made = Sharing()
    monkeypatch.setattr(fcntl, "ioctl", made)
    return made


@pytest.fixture(params=["xfs", "btrfs"])
def reflinks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder whose files can share blocks."""
    if reason := why_not(request.param):
        pytest.skip(f"no {request.param} to share blocks on: {reason}")
    try:
        with mounted(request.param, tmp_path, 400_000_000) as place:
            yield place
    except OSError as error:
        pytest.skip(f"no {request.param} to share blocks on: {error}")


def aligned(tensors: dict[str, tuple[str, tuple[int, ...]]]) -> bytes:
    """A file whose data begins at a multiple of eight, as the format's own writer makes it."""
    raw = file_bytes(tensors)
    return file_bytes(tensors, pad=-int.from_bytes(raw[:8], "little") % 8)


def edited(source: Path, out: Path, metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a copy whose middle tensor is new."""
    checkpoint = open_checkpoint(source)
    new = b"\xaa" * checkpoint["t2"].nbytes
    write(checkpoint, {"t2": lambda: new}, out, metadata=KEYS if metadata is None else metadata)
    return out.read_bytes()


sizes = st.integers(0, 50_000)


@given(start=sizes, size=sizes, at=st.one_of(sizes, st.integers(0, 9)))
def test_whole_blocks_up_to_the_end_are_shared_and_less_than_a_block_before_them_is_not(
    start: int, size: int, at: int
) -> None:
    at = start + BLOCK * at if at < 10 else at
    found = shareable(start, size, at)
    if found is None:
        assert (at - start) % BLOCK or start + -start % BLOCK >= size
        return
    assert found.start % BLOCK == found.at % BLOCK == 0
    assert 0 <= found.start - start < BLOCK
    assert found.at - found.start == at - start
    assert found.start + found.nbytes == size
    assert found.nbytes > 0


@pytest.mark.parametrize("code", UNABLE)
def test_a_system_that_cannot_share_says_no(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, code), code)

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    assert not share(0, 1, Tail(0, 1, 0))


def test_an_edited_copy_shares_all_but_its_head_and_its_edits(
    source: Path, sharing: Sharing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = edited(source, tmp_path / "shared")
    (tail,) = sharing.calls
    assert tail.at - tail.start == read_header(tmp_path / "shared").data_start - (
        read_header(source).data_start
    )
    assert tail.start + tail.nbytes == source.stat().st_size
    monkeypatch.undo()
    assert edited(source, tmp_path / "copied") == first


def test_a_copy_that_keeps_its_header_and_one_without_edits_share_too(
    source: Path, sharing: Sharing, tmp_path: Path
) -> None:
    edited(source, tmp_path / "edited", {})
    seen: list[int] = []
    write(open_checkpoint(source), {}, tmp_path / "same", metadata=KEYS, on_bytes=seen.append)
    assert (tmp_path / "same").read_bytes() == source.read_bytes()
    assert sharing.calls[1] == Tail(0, source.stat().st_size, 0)
    assert sum(seen) == source.stat().st_size


def test_an_unaligned_file_is_aligned_and_copied(sharing: Sharing, tmp_path: Path) -> None:
    raw = aligned(MODEL)
    length = int.from_bytes(raw[:8], "little")
    odd = (length + 3).to_bytes(8, "little") + raw[8 : 8 + length] + b"   " + raw[8 + length :]
    (tmp_path / "odd").write_bytes(odd)
    edited(tmp_path / "odd", tmp_path / "out")
    assert not sharing.calls
    assert read_header(tmp_path / "out").data_start % 8 == 0


@pytest.mark.parametrize(
    ("code", "error"), [(errno.EIO, OutputError), (errno.ENOSPC, ResourceError)]
)
def test_a_failing_disk_is_an_error_and_leaves_nothing(
    code: int,
    error: type[Exception],
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "ioctl", fail)
    with pytest.raises(error):
        edited(source, tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_room_is_asked_for_what_is_written_only(
    reflinks: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {f"t{n}": ("U8", (1 << 20,)) for n in range(16)}
    (reflinks / "in").mkdir()
    for place in (reflinks / "in" / "model.safetensors", source):
        place.write_bytes(aligned(shapes))
    (reflinks / "in" / "config.json").write_text("{}", "utf-8")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(preflight, "disk_usage", lambda _: usage(0, 0, 2 << 20))
    for checkpoint in map(
        open_checkpoint, (reflinks / "in" / "model.safetensors", reflinks / "in")
    ):
        out = reflinks / f"out-{checkpoint.kind}"
        check_copy(checkpoint, out, ["t2"], force=False, link=False)
        write(checkpoint, {"t2": lambda: bytes(1 << 20)}, out, metadata=KEYS)
        with pytest.raises(ResourceError, match="not enough room: 16"):
            check_copy(checkpoint, tmp_path / "out", ["t2"], force=False, link=False)
        new = dict.fromkeys(("t2", "t3"), lambda: bytes(1 << 20))
        with pytest.raises(ResourceError, match=r"not enough room: 2\.1 MB"):
            write(checkpoint, new, reflinks / "more", metadata=KEYS)
    with pytest.raises(ResourceError, match=r"not enough room: 16"):
        edited(source, tmp_path / "copied")
    assert names(reflinks) == ["in", "out-file", "out-folder"]


def test_a_file_system_with_shared_blocks_stores_only_what_is_new(
    reflinks: Path, tmp_path: Path
) -> None:
    folder = reflinks / "in"
    folder.mkdir()
    shapes = {f"t{n}": ("U8", (1 << 20,)) for n in range(16)}
    source = folder / "model.safetensors"
    source.write_bytes(aligned(shapes))
    (folder / "config.json").write_text("{}", "utf-8")
    (tmp_path / "elsewhere").write_bytes(source.read_bytes())
    first = edited(source, reflinks / "edited")
    assert edited(tmp_path / "elsewhere", tmp_path / "copied") == first
    assert (16 << 20) - 4 * BLOCK > shared_bytes(reflinks / "edited") >= (15 << 20) - 4 * BLOCK
    write(open_checkpoint(folder), {}, reflinks / "same", metadata={})
    assert contents(reflinks / "same") == contents(folder)
    assert shared_bytes(reflinks / "same" / source.name) >= 16 << 20
