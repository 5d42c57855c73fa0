from __future__ import annotations

from pathlib import Path

import pytest

from surgery.cli.places import must_be_free
from surgery.errors import OutputError


def test_a_new_file_in_a_folder_that_is_there_is_free(tmp_path: Path) -> None:
    must_be_free(tmp_path / "new.yaml", False)


def test_a_file_that_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").touch()
    must_be_free(tmp_path / "old.yaml", True)
    with pytest.raises(OutputError, match=r"already there.*--force"):
        must_be_free(tmp_path / "old.yaml", False)


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_never_replaced(tmp_path: Path, force: bool) -> None:
    with pytest.raises(OutputError, match=r"already there.*name a file"):
        must_be_free(tmp_path, force)


def test_a_missing_folder_is_found_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        must_be_free(tmp_path / "none" / "new.yaml", False)
