"""DDUF files made from a pipeline folder, by the Hub's own client or record by record."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

ALLOWED = (".json", ".model", ".safetensors", ".txt")


def records(folder: Path) -> dict[str, bytes]:
    """What of a folder goes into a DDUF file, the index first."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if path.name.endswith(ALLOWED) and len(path.relative_to(folder).parts) < 3
    }
    return {"model_index.json": found.pop("model_index.json"), **found}


def write_dduf(path: Path, content: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            with archive.open(name, "w", force_zip64=True) as record:
                record.write(data)
    return path
