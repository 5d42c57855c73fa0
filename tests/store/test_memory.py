"""Too little memory is told before a download, not after."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import ResourceError
from surgery.store import memory
from surgery.store.contents import TensorRef
from surgery.store.memory import available, check_memory


def tensor(*shape: int) -> TensorRef:
    return TensorRef("a", "F16", shape, 0, Path("m"), 0)


def test_what_fits_passes_and_what_cannot_is_refused_by_name() -> None:
    check_memory([tensor(4, 4), tensor()])
    check_memory([])
    if available() is None:
        pytest.skip("the system does not say how much memory is free")
    with pytest.raises(ResourceError, match=r"'a': not enough memory: .* are needed"):
        check_memory([tensor(4, 4), tensor(2**25, 2**25)])


@pytest.mark.parametrize(
    "said", ["", "MemAvailable: much kB\n", "MemFree: 1 kB\n", "MemAvailable:"]
)
def test_a_system_that_does_not_say_refuses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    (tmp_path / "meminfo").write_text(said, encoding="ascii")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert available() is None
    check_memory([tensor(2**25, 2**25)])


def test_swap_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemAvailable: 3 kB\nSwapFree: 2 kB\nHugePages: 0\n", "ascii")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert available() == 5 * 1024
