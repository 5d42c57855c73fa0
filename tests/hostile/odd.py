"""Inputs that are valid and unusual: each must be accepted and kept to the last byte."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

from surgery.store.entries import DTYPE_BITS
from tests.hostile.cases import FILE, Case, file_case, put
from tests.store.build import entry, file_bytes, framed, write_pipeline, write_shards

ONE = {"a": ("F32", (2,))}
T = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def cases() -> list[Case]:
    single = {**_shapes(), **_headers(), **_names(), **_orders(), **_values(), **_sizes()}
    found = [file_case("odd file", name, raw) for name, raw in single.items()]
    return [*found, *_file_names(), *_folders(), *_sets()]


def _shapes() -> dict[str, bytes]:
    found = {f"type {dtype}": file_bytes({"a": (dtype, (4, 2))}) for dtype in DTYPE_BITS}
    return found | {
        "0-d": file_bytes({"a": ("F32", ())}),
        "0-d of every type": file_bytes({d: (d, ()) for d, bits in DTYPE_BITS.items() if bits > 7}),
        "empty [0]": file_bytes({"a": ("F32", (0,))}),
        "empty [0, 3]": file_bytes({"a": ("F16", (0, 3))}),
        "empty [2, 0, 3]": file_bytes({"a": ("BF16", (2, 0, 3))}),
        "empty and huge": framed({"a": entry("U8", [0, 2**40], 0, 0)}),
        "empty between others": file_bytes(
            {"a": ("U8", (3,)), "b": ("F64", (0,)), "c": ("U8", (1,))}
        ),
        "only empty ones": file_bytes({f"e{n}": ("F32", (0,)) for n in range(5)}),
        "64 dimensions of 1": file_bytes({"a": ("F32", (1,) * 64)}),
        "5,000 dimensions of 1": file_bytes({"a": ("F32", (1,) * 5000)}),
        "3 rows of F4": file_bytes({"a": ("F4", (3, 2))}),
    }


def _headers() -> dict[str, bytes]:
    found = {f"padded by {pad}": file_bytes(ONE, pad=pad) for pad in (1, 2, 3, 5, 7, 64, 4096)}
    body = f'{{"t":{T}}}'
    spaced = '\t{\r\n "t" :\n\t' + T.replace(",", " , ") + "\r\n}"
    return found | {
        "no tensors": framed(b"{}"),
        "no tensors, spaces": framed(b"{ \n }"),
        "metadata only": framed(b'{"__metadata__":{"a":"b"}}'),
        "metadata is null": framed(f'{{"__metadata__":null,"t":{T}}}', bytes(4)),
        "metadata is empty": framed(f'{{"__metadata__":{{}},"t":{T}}}', bytes(4)),
        "metadata at the end": framed(f'{{"t":{T},"__metadata__":{{"a":"b"}}}}', bytes(4)),
        "60 kB of metadata": file_bytes(ONE, {"modelspec.thumbnail": "x" * 60_000}),
        "1,000 metadata keys": file_bytes(ONE, {f"k{n}": str(n) for n in range(1000)}),
        "unusual metadata": file_bytes(ONE, {"": "", "é\u202e": "\x1b[31m[red]", "surgery.x": "1"}),
        "JSON in metadata": file_bytes(ONE, {"config": json.dumps({"a": [1, {"b": None}]})}),
        "spaces within": framed(spaced.lstrip(), bytes(4)),
        "line break at the end": framed(body + "\n", bytes(4)),
        "tabs at the end": framed(body + "\t\t\r\n ", bytes(4)),
        "unknown field": framed(f'{{"t":{T[:-1]},"note":{{"x":[1,null]}}}}}}', bytes(4)),
        "fields in another order": framed(
            '{"t":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}', bytes(4)
        ),
        "escaped letters": framed(
            f'{{"\\u0074\\u00e9":{T.replace("F32", chr(92) + "u004632")}}}', bytes(4)
        ),
    }


def _names() -> dict[str, bytes]:
    names = {
        "empty": "",
        "Chinese": "权重.层",
        "emoji": "🩺.weight",
        "combining": "e\u0301.weight",
        "right to left": "שלום.weight",
        "bidi override": "a\u202eb",
        "zero width": "a\u200bb",
        "ESC": "a\x1b[31mb",
        "C1": "a\x9bb",
        "line break": "a\nb",
        "markup": "[bold]x[/] [/] [link=x]",
        "path": "../../etc/passwd",
        "slashes": "a//b/",
        "backslash and quotes": "a\\\"b'",
        "private use": "\ue000",
        "50 kB": "n" * 50_000,
        "like metadata": "__metadata__2",
        "like Python": "__class__.__init__",
        "a space": " ",
        "a format": "%s{0}$HOME`id`",
    }
    found = {f"name, {key}": file_bytes({name: ("F32", (2,))}) for key, name in names.items()}
    alike = ("é", "e\u0301", "É", "E\u0301", "\u00c5", "\u212b")
    found["names alike"] = file_bytes({name: ("U8", (1,)) for name in alike})
    return found


def _orders() -> dict[str, bytes]:
    def laid(*order: int) -> bytes:
        return framed({f"t{n}": entry("U8", [3], 3 * n, 3 * n + 3) for n in order}, b"abcdefghijkl")

    return {
        "data against the header's order": laid(3, 2, 1, 0),
        "data in mixed order": laid(2, 0, 3, 1),
        "F32 after a single byte": file_bytes({"a": ("U8", (1,)), "b": ("F32", (2,))}),
        "F64 at an odd byte": file_bytes({"a": ("U8", (3,)), "b": ("F64", (2,))}),
        "tied tensors, stored twice": framed(
            {"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 4, 8)}, b"abcdabcd"
        ),
        "types mixed": file_bytes({d: (d, (4,)) for d in DTYPE_BITS}),
    }


def _values() -> dict[str, bytes]:
    def held(dtype: str, code: str, *values: float) -> bytes:
        data = b"".join(struct.pack(code, value) for value in values)
        return framed({"a": entry(dtype, [len(values)], 0, len(data))}, data)

    nan, infinite = float("nan"), float("inf")
    return {
        "NaN and Inf in F32": held("F32", "<f", nan, infinite, -infinite, -0.0, 1e-45),
        "NaN and Inf in F16": held("F16", "<e", nan, infinite, -infinite, -0.0),
        "NaN with a message": framed({"a": entry("F32", [1], 0, 4)}, b"\x01\x02\x80\x7f"),
        "all NaN in F8": framed({"a": entry("F8_E4M3", [4], 0, 4)}, b"\x7f\xff\x7f\xff"),
        "BOOL that is 2": framed({"a": entry("BOOL", [2], 0, 2)}, b"\x02\xff"),
        "zeros": framed({"a": entry("F32", [256], 0, 1024)}, bytes(1024)),
    }


def _sizes() -> dict[str, bytes]:
    return {
        "1,000 tensors": file_bytes({f"layer.{n}.weight": ("U8", (2,)) for n in range(1000)}),
        "1,200 empty tensors": file_bytes({f"layer.{n}": ("F32", (0,)) for n in range(1200)}),
    }


def _file_names() -> list[Case]:
    good = file_bytes(ONE)
    names = ("no ending", "UPPER.SAFETENSORS", "with space.safetensors", "-dash.safetensors")
    names += ("[red]x[/].safetensors", "é🩺.safetensors", "a\x1b[31m\nb.safetensors", ".hidden")
    found = [file_case("odd file name", ascii(name), good, file=name) for name in names]

    def linked(folder: Path) -> str:
        put(folder / "real.safetensors", good)
        (folder / FILE).symlink_to("real.safetensors")
        return str(folder / FILE)

    def read_only(folder: Path) -> str:
        put(folder / FILE, good).chmod(0o444)
        return str(folder / FILE)

    def hard(folder: Path) -> str:
        put(folder / FILE, good)
        os.link(folder / FILE, folder / "other.safetensors")
        return str(folder / FILE)

    made = {"a link": linked, "read-only": read_only, "a hard link": hard}
    return found + [Case("odd file name", name, make) for name, make in made.items()]


def _folders() -> list[Case]:
    changes: dict[str, Callable[[Path], object]] = {
        "as it is": lambda root: None,
        "files of no bytes": lambda root: put(root / "empty.txt", b""),
        "a pickle beside": lambda root: put(root / "unet" / "old.ckpt", b"\x80\x02}."),
        "hidden files": lambda root: put(root / ".cache" / "x", b"x"),
        "no more folder than a file": lambda root: put(root / "deep/er/and/deep/er/x", b"x"),
        "Unicode names": lambda root: put(root / "é" / "🩺.txt", b"x"),
        "ESC in a name": lambda root: put(root / "a\x1b[31m.txt", b"x"),
        "a name that is not UTF-8": lambda root: (root / "a\udcff.txt").write_bytes(b"x"),
        "a file as link": lambda root: (root / "link.json").symlink_to("model_index.json"),
        "weights as link": _weights_as_link,
        "a folder as link": lambda root: (root / "again").symlink_to("tokenizer"),
        "many files": lambda root: [put(root / "many" / str(n), b"") for n in range(200)],
        "a variant beside": lambda root: put(
            root / "text_encoder" / "model.fp16.safetensors", file_bytes(ONE)
        ),
        "broken JSON beside": lambda root: put(root / "notes.json", "{"),
    }

    def case(name: str, change: Callable[[Path], object]) -> Case:
        def make(folder: Path) -> str:
            change(write_pipeline(folder / "m"))
            return str(folder / "m")

        return Case("odd folder", name, make)

    return [case(name, change) for name, change in changes.items()]


def _weights_as_link(root: Path) -> None:
    weights = root / "text_encoder" / "model.safetensors"
    put(root.parent / "blobs" / "0f", weights.read_bytes())
    weights.unlink()
    weights.symlink_to("../../blobs/0f")


def _sets() -> list[Case]:
    def index(folder: Path) -> str:
        return str(write_shards(folder / "m", "model"))

    def old_spelling(folder: Path) -> str:
        path = write_shards(folder / "m", "model")
        return str(path.rename(path.with_name("model.safetensors.fp16.index.json")))

    def one_shard(folder: Path) -> str:
        shard = "é 🩺-00001-of-00001.safetensors"
        put(folder / "m" / shard, file_bytes(ONE))
        content = {"metadata": {"total_size": "a lie"}, "weight_map": {"a": shard}}
        return str(put(folder / "m" / "é 🩺.safetensors.index.json", json.dumps(content)))

    made = {"an index": index, "an index of old spelling": old_spelling, "one shard": one_shard}
    return [Case("odd shards", name, make) for name, make in made.items()]
