"""Single files whose header is sound JSON and false: types, shapes, offsets, cover, names."""

from __future__ import annotations

from tests.hostile.cases import Case, file_cases
from tests.store.build import entry, framed

Raw = dict[str, object]
T: Raw = entry("F32", [1], 0, 4)


def one(**fields: object) -> bytes:
    """A file of one F32 number `t`, with some fields of its entry replaced."""
    return framed({"t": T | fields}, bytes(4))


def many(data: int, **tensors: tuple[int, int]) -> bytes:
    """Rows of bytes that lie from one offset to another."""
    return framed(
        {name: entry("U8", [end - begin], begin, end) for name, (begin, end) in tensors.items()},
        bytes(data),
    )


def cases() -> list[Case]:
    return [*_entries(), *_dtypes(), *_shapes(), *_offsets(), *_cover(), *_names()]


def _entries() -> list[Case]:
    values: dict[str, object] = {
        "null": None,
        "a list": [],
        "a text": "F32",
        "a number": 4,
        "true": True,
        "an empty object": {},
        "no dtype": {key: T[key] for key in ("shape", "data_offsets")},
        "no shape": {key: T[key] for key in ("dtype", "data_offsets")},
        "no data_offsets": {key: T[key] for key in ("dtype", "shape")},
        "other words": {"type": "F32", "size": [1], "offsets": [0, 4]},
        "Shape": {"dtype": "F32", "Shape": [1], "data_offsets": [0, 4]},
    }
    return file_cases(
        "entry", {k: (framed({"t": v}, bytes(4)), "entry") for k, v in values.items()}
    )


def _dtypes() -> list[Case]:
    wrong = [
        "",
        "f32",
        " F32",
        "F32 ",
        "FP32",
        "float32",
        "F128",
        "I4",
        "Q4_0",
        "C128",
        "torch.float32",
    ]
    found = {f"'{word}'": (one(dtype=word), "unknown dtype") for word in wrong}
    found["of 50 kB"] = (one(dtype="F" * 50_000), "unknown dtype")
    found["with ESC and markup"] = (one(dtype="\x1b]0;x\x07[red]"), "unknown dtype")
    for value in (None, 32, True, ["F32"], {"F32": 1}):
        found[type(value).__name__] = (one(dtype=value), "dtype is")
    found["half a byte of F4"] = (framed({"t": entry("F4", [1], 0, 1)}, b"x"), "whole bytes")
    found["6 bits of F6"] = (framed({"t": entry("F6_E2M3", [3], 0, 3)}, b"xyz"), "whole bytes")
    return file_cases("dtype", found)


def _shapes() -> list[Case]:
    big = 2**62
    found = {}
    for shape in ([2**63], [2**64], [2**200]):
        found[f"2^{shape[0].bit_length() - 1}"] = (one(shape=shape), "2^63")
    for shape in ([big, big], [0, big, big], [big, big, 0], [2**32, 2**32], [2**31] * 3):
        shown = ", ".join(f"2^{n.bit_length() - 1}" if n else "0" for n in shape)
        found[f"[{shown}]"] = (one(shape=shape), "overflow")
    found |= {
        "30,000 dimensions of 2": (one(shape=[2] * 30_000), "overflow"),
        "one too large": (one(shape=[2]), "needs 8 bytes"),
        "one too small": (framed({"t": entry("F32", [], 0, 8)}, bytes(8)), "needs 4 bytes"),
        "empty, with data": (one(shape=[0]), "needs 0 bytes"),
    }
    wrong: dict[str, object] = {
        "negative": [-1],
        "two negatives": [-1, -1],
        "a float": [1.0],
        "half": [0.5],
        "a text": ["1"],
        "null inside": [None],
        "true inside": [True],
        "a list inside": [[1]],
        "null": None,
        "a number": 1,
        "text": "[1]",
        "an object": {"0": 1},
    }
    found |= {name: (one(shape=value), "shape") for name, value in wrong.items()}
    minus_zero = b'{"t":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'
    found["minus zero"] = (framed(minus_zero), "shape")
    return file_cases("shape", found)


def _offsets() -> list[Case]:
    wrong: dict[str, object] = {
        "reversed": [4, 0],
        "negative begin": [-4, 0],
        "negative end": [0, -4],
        "one": [4],
        "three": [0, 4, 4],
        "none": [],
        "floats": [0.0, 4.0],
        "texts": ["0", "4"],
        "null": None,
        "null inside": [None, 4],
        "false inside": [False, 4],
        "an object": {"begin": 0, "end": 4},
        "a number": 4,
        "end 2^63": [0, 2**63],
        "end 2^64": [0, 2**64],
        "end 2^64+4": [0, 2**64 + 4],
        "begin 2^64-4": [2**64 - 4, 2**64],
        "10,000 of them": list(range(10_000)),
    }
    found = {name: (one(data_offsets=value), "") for name, value in wrong.items()}
    minus_zero = b'{"t":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}'
    found["minus zero"] = (framed(minus_zero, bytes(4)), "data_offsets")
    found["beyond the file"] = (one(data_offsets=[4, 8]), "")
    found["tera-bytes away"] = (one(data_offsets=[2**40, 2**40 + 4]), "hole")
    huge = entry("U8", [2**42], 0, 2**42)
    found["tera-bytes long"] = (framed({"t": huge}, bytes(4)), "cut short")
    return file_cases("offsets", found)


def _cover() -> list[Case]:
    found = {
        "two tensors in one place": (many(4, a=(0, 4), b=(0, 4)), "overlaps"),
        "overlap by one byte": (many(7, a=(0, 4), b=(3, 7)), "overlaps"),
        "one inside another": (many(8, a=(0, 8), b=(2, 4)), "overlaps"),
        "an empty one inside another": (many(8, a=(0, 8), b=(4, 4)), "overlaps"),
        "hole at the start": (many(8, a=(4, 8)), "hole"),
        "hole in the middle": (many(9, a=(0, 4), b=(5, 9)), "hole"),
        "hole before an empty one": (many(4, a=(0, 4), b=(8, 8)), "hole"),
        "rest at the end": (many(5, a=(0, 4)), "follow"),
        "data, no tensors": (framed(b"{}", bytes(4)), "follow"),
        "data, metadata only": (framed(b'{"__metadata__":{}}', bytes(4)), "follow"),
        "500 tensors in one place": (many(4, **{f"t{n}": (0, 4) for n in range(500)}), "overlaps"),
        "last one cut": (many(7, a=(0, 4), b=(4, 8)), "cut short"),
    }
    return file_cases("cover", found)


def _names() -> list[Case]:
    """Names that want to reach a terminal, in a file that is refused for its data."""
    names = {
        "colour": "a\x1b[31mred",
        "title": "\x1b]0;owned\x07",
        "C1": "a\x9b31m",
        "line break": "a\nError: all is well",
        "carriage return": "good\rbad",
        "backspaces": "bad\b\b\bgood",
        "right to left": "a\u202egnp.exe",
        "zero width": "a\u200bb\ufeff",
        "line separator": "a\u2028b",
        "tags": "a\U000e0041b",
        "markup": "[bold red]x[/]",
        "closing markup": "[/]",
        "link markup": "[link=https://example.org]x[/link]",
        "60 kB": "n" * 60_000,
        "braces": "{0.__class__}%s%n",
        "path": "../../etc/passwd",
    }
    return file_cases(
        "name",
        {
            k: (framed({name: entry("F99", [1], 0, 4)}, bytes(4)), "F99")
            for k, name in names.items()
        },
    )
