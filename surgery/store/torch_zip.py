"""Whether a PyTorch zip is what `torch.save` writes, before anything in it is unpickled.

Torch itself checks no CRC, inflates compressed records and lets the last of two equal names win.
Nothing is extracted to the disk and no pickle is opened here.
"""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from surgery.errors import CheckpointError
from surgery.store.text import quoted, visible

_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_AGAIN = "download it again"


def is_zip(path: Path) -> bool:
    """Return whether the file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def check_archive(path: Path) -> None:
    """Check names, methods and the CRC of every record of a PyTorch zip.

    Raises:
        CheckpointError: damaged, compressed, encrypted, a name twice, or not one root folder that
            holds one data.pkl.
    """
    where = visible(str(path))
    try:
        with ZipFile(path) as archive:
            _check_records(archive.infolist(), where)
            bad = archive.testzip()
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise CheckpointError("the zip archive is damaged", where=where, hint=_AGAIN) from error
    if bad is not None:
        problem = f"the record {quoted(bad)} is damaged: its CRC does not match"
        raise CheckpointError(problem, where=where, hint=_AGAIN)


def _check_records(records: list[ZipInfo], where: str) -> None:
    doubled = [name for name, times in Counter(r.filename for r in records).items() if times > 1]
    if doubled:
        raise CheckpointError(f"the record {quoted(doubled[0])} is there twice", where=where)
    for record in records:
        if record.compress_type != ZIP_STORED or record.flag_bits & _ENCRYPTED:
            problem = f"the record {quoted(record.filename)} is compressed or encrypted"
            raise CheckpointError(problem, where=where, hint="torch.save stores its records plain")
    _check_root([record.filename for record in records], where)


def _check_root(names: list[str], where: str) -> None:
    roots = {name.partition("/")[0] for name in names}
    pickles = [name for name in names if name.endswith("/data.pkl")]
    root = next(iter(roots), "")
    odd = [name for name in names if "\\" in name or ".." in name.split("/")]
    if len(roots) != 1 or root in {"", "."} or odd or pickles != [f"{root}/data.pkl"]:
        problem = "not one folder with one data.pkl, as torch.save writes"
        raise CheckpointError(problem, where=where, hint="it may be another kind of zip archive")
