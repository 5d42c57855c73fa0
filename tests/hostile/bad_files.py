"""What is no safetensors file: other formats under its name, pickles with code, pipes, loops."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import socket
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

from tests.hostile.cases import FILE, Case, file_case, file_cases, put
from tests.store.build import file_bytes

OTHER: dict[str, bytes] = {
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    "web page": b"<!DOCTYPE html><html><title>Sign in</title></html>",
    "XML": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "JSON error": b'{"error":"Repository not found"}',
    "JSON with line breaks": b'{\n  "error": "x"\n}\n',
    "GGUF of many tensors": b"GGUF\x03\0\0\0" + b"\xff" * 64,
    "GGUF cut short": b"GGUF\x03\0\0\0\x01\0\0",
    "GGUF of version 99": b"GGUF\x63\0\0\0" + bytes(16),
    "gzip": gzip.compress(bytes(1000), mtime=0),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "numpy array": b"\x93NUMPY\x01\0v\0{'descr': '<f4'}" + bytes(64),
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(32),
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(32),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(57),
    "Windows program": b"MZ\x90\0\x03\0\0\0" + bytes(120),
    "shell script": b"#!/bin/sh\necho no\n",
    "Python source": b"import os\nos.system('true')\n",
    "YAML": b"version: 1\nname: x\nedits: []\n",
    "zstd": b"\x28\xb5\x2f\xfd\x24\0\x01\0\0" + bytes(16),
    "xz": b"\xfd7zXZ\0\0\x04" + bytes(24),
    "7z": b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(24),
    "SQLite": b"SQLite format 3\0" + bytes(84),
    "Parquet": b"PAR1" + bytes(64) + b"PAR1",
    "ONNX": b"\x08\x07\x12\x07pytorch" + bytes(64),
    "terminal codes": b"\x1b]0;owned\x07\x1b[2J\x1b[31m" * 8,
    "noise": random.Random(3).randbytes(4096),
    "white space": b" \n\t\r" * 64,
}


class _Payload:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def cases() -> list[Case]:
    other = {name: (raw, "") for name, raw in OTHER.items()}
    return [*file_cases("other format", other), *_pickles(), *_zips(), *_places(), *_addresses()]


def _pickles() -> list[Case]:
    found = []
    for ending in ("safetensors", "ckpt", "bin", "pt", "pth"):
        for protocol in (0, 2, 4, 5):
            if ending == "safetensors" or protocol == 2:
                found.append(_pickle(protocol, f"model.{ending}"))
    legacy = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, {}))
    found += [
        file_case("pickle", "torch's old format", legacy, "", file="old.ckpt"),
        file_case("pickle", "nested 5,000 deep", b"\x80\x02" + b"]" * 5000 + b".", ""),
        file_case("pickle", "claims 4 GB", b"\x80\x04\x8d" + (2**32).to_bytes(8, "little"), ""),
        file_case("pickle", "memo bomb", b"\x80\x02(" + b"2" * 50_000 + b"t.", "", file="m.pt"),
        file_case("pickle", "cut short", b"\x80\x02c", "", file="cut.bin"),
        file_case("pickle", "empty", b"", "", file="empty.pt"),
    ]
    return found


def _pickle(protocol: int, file: str) -> Case:
    def make(folder: Path) -> str:
        raw = pickle.dumps({"w": _Payload(folder / "it-ran")}, protocol=protocol)
        return str(put(folder / file, raw))

    return Case("pickle", f"protocol {protocol} as {file}", make, "", file)


def _zips() -> list[Case]:
    def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, raw in members:
                archive.writestr(zipfile.ZipInfo(name), raw, method)
        return out.getvalue()

    body = pickle.dumps({"a": [1, 2]}, 2)
    sound = packed(("archive/data.pkl", body), ("archive/version", b"3\n"))
    flipped = sound.replace(b"K\x01", b"K\x02", 1)
    bomb = packed(("a/data.pkl", bytes(30_000_000)), method=zipfile.ZIP_DEFLATED)
    archives = {
        "torch zip": sound,
        "a wrong CRC": flipped,
        "two data.pkl": packed(("a/data.pkl", body), ("b/data.pkl", body)),
        "way out": packed(("../../data.pkl", body)),
        "absolute name": packed(("/tmp/data.pkl", body)),
        "bomb of 30 MB": bomb,
        "no end": sound[:-22],
        "empty archive": packed(),
    }
    found = []
    for name, raw in archives.items():
        found.append(file_case("zip", name, raw))
        found.append(file_case("zip", f"{name}, .ckpt", raw, file="model.ckpt"))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return [*found, file_case("zip", "tar", tar.getvalue(), file="model.pt")]


def _places() -> list[Case]:
    """Names in the file system that are no regular file."""

    def pipe(path: Path) -> None:
        os.mkfifo(path)

    def listening(path: Path) -> None:
        # The address of a socket has room for about 100 bytes, so it is made from beside it.
        with chdir(path.parent), socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)

    def linked(target: str) -> Callable[[Path], None]:
        return lambda path: path.symlink_to(target)

    def chain(path: Path) -> None:
        for number in range(60):
            (path.parent / f"{number}.safetensors").symlink_to(f"{number + 1}.safetensors")
        path.symlink_to("0.safetensors")

    def pipe_behind(path: Path) -> None:
        os.mkfifo(path.parent / "pipe")
        path.symlink_to("pipe")

    places: dict[str, Callable[[Path], None]] = {
        "pipe": pipe,
        "socket": listening,
        "folder": lambda path: path.mkdir(),
        "link to itself": linked(FILE),
        "link to nothing": linked("nothing"),
        "60 links to nothing": chain,
        "link to a pipe": pipe_behind,
        "link to /dev/null": linked("/dev/null"),
        "link to /dev/zero": linked("/dev/zero"),
        "link to /dev/random": linked("/dev/random"),
        "link to a terminal": linked("/dev/tty"),
        "link to /proc/self/mem": linked("/proc/self/mem"),
        "link to its own folder": linked("."),
        "nothing": lambda path: None,
    }
    return [_place(name, file, make) for name, make in places.items() for file in (FILE, "x.ckpt")]


def _place(name: str, file: str, build: Callable[[Path], None]) -> Case:
    def make(folder: Path) -> str:
        build(folder / file)
        return str(folder / file)

    return Case("place", f"{name}, {file}", make, "", file)


def _addresses() -> list[Case]:
    """Words that can be no address."""

    def below_a_file(folder: Path) -> str:
        return str(put(folder / FILE, file_bytes({"a": ("U8", (1,))})) / "inside")

    words = {
        "empty": "",
        "a NUL": "model\0.safetensors",
        "5,000 letters": "m" * 5000,
        "5,000 folders": "a/" * 5000 + FILE,
        "control characters": "a\x1b[31m\x07.safetensors",
        "markup": "[red]x[/].safetensors",
        "line break": "a\nb.safetensors",
        "half a surrogate": "a\udc80.safetensors",
    }
    found = [
        Case("address", name, lambda folder, word=word: word, "", "")  # type: ignore[misc]
        for name, word in words.items()
    ]
    return [*found, Case("address", "beneath a file", below_a_file, "", FILE)]
