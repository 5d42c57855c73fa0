"""Single files whose header is cut, torn, twofold, too deep, too large or no JSON at all."""

from __future__ import annotations

import json

from tests.hostile.cases import Case, file_case, file_cases
from tests.store.build import entry, file_bytes, framed

T = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
GOOD = file_bytes({"a": ("F32", (2,)), "b": ("F16", (3, 2))}, {"k": "v"})
START = 8 + int.from_bytes(GOOD[:8], "little")


def text(body: str | bytes, data: int = 4) -> bytes:
    return framed(body, bytes(data))


def cases() -> list[Case]:
    return [*_lengths(), *_cuts(), *_json(), *_encodings(), *_twice(), *_deep(), *_metadata()]


def _lengths() -> list[Case]:
    def claims(length: int, rest: bytes = b"{}") -> bytes:
        return length.to_bytes(8, "little") + rest

    found = {f"{count} bytes in all": (bytes(count), "only") for count in (1, 4, 7)}
    found |= {
        "no bytes": (b"", "empty"),
        "8 zeros": (bytes(8), "claims 0"),
        "64 zeros": (bytes(64), "claims 0"),
        "8 of 0xff": (b"\xff" * 8, "claims"),
        "1 kB of 0xff": (b"\xff" * 1024, "claims"),
        "claims 0, object follows": (claims(0), "claims 0"),
        "claims 1": (claims(1), "claims 1"),
        "claims one byte too much": (claims(3), "claims 3"),
        "claims one byte too little": (claims(1, b"{}"), "claims 1"),
        "big-endian length": (len(b"{}").to_bytes(8, "big") + b"{}", "claims"),
    }
    found |= {f"claims 2^{bits}": (claims(1 << bits), "claims") for bits in (31, 32, 53, 62, 63)}
    found |= {"claims 2^64-1": (claims(2**64 - 1), "claims")}
    sparse = [
        file_case("length", "a header of 26 MB", claims(26_000_000), "more than", size=27_000_000),
        file_case("length", "a header of 3 GB", claims(3 << 30), "more than", size=4 << 30),
        file_case("length", "data of 1 GB too much", GOOD, "follow", size=1 << 30),
        file_case("length", "a header of 24 MB of NUL", claims(24_000_000), "", size=24_000_008),
    ]
    return [*file_cases("length", found), *sparse]


def _cuts() -> list[Case]:
    """A good file that ends too early, or whose header was cut and measured anew."""
    ends = [9, 20, START // 2, START - 1, START, START + 1, START + 8, len(GOOD) - 1]
    found = {f"the file ends at byte {end}": (GOOD[:end], "") for end in ends}
    body = GOOD[8:START]
    for end in range(2, len(body), 11):
        found[f"the header ends at byte {end}"] = (framed(body[:end], GOOD[START:]), "not valid")
    found["one byte follows"] = (GOOD + b"x", "1 bytes follow")
    found["the file twice"] = (GOOD + GOOD, "follow")
    found["the data missing in the middle"] = (GOOD[:START] + GOOD[START + 4 :], "cut short")
    return file_cases("cut", found)


def _json() -> list[Case]:
    bodies = {
        "a list": "[]",
        "a text": '"abc"',
        "a number": "123",
        "null": "null",
        "true": "true",
        "a space before": " {}",
        "a line break before": "\n{}",
        "two objects": "{}{}",
        "words after the object": "{} x",
        "NUL padding": "{}\0\0\0\0\0\0",
        "padding of no-break space": "{}\u00a0",
        "padding of form feeds": "{}\f\f",
        "comma at the end": f'{{"t":{T},}}',
        "comma missing": f'{{"t":{T} "u":{T}}}',
        "colon missing": f'{{"t" {T}}}',
        "comment": f'{{"t":{T}/* x */}}',
        "single quotes": "{'t':1}",
        "bare key": f"{{t:{T}}}",
        "key is a number": f"{{1:{T}}}",
        "hexadecimal": T.join(['{"t":', "}"]).replace("[1]", "[0x1]"),
        "leading zero": T.join(['{"t":', "}"]).replace("[1]", "[01]"),
        "plus sign": T.join(['{"t":', "}"]).replace("[1]", "[+1]"),
        "NaN": T.join(['{"t":', "}"]).replace("[1]", "[NaN]"),
        "Infinity": T.join(['{"t":', "}"]).replace("[1]", "[Infinity]"),
        "-Infinity": T.join(['{"t":', "}"]).replace("[1]", "[-Infinity]"),
        "raw tab in a name": f'{{"a\tb":{T}}}',
        "raw ESC in a name": f'{{"a\x1b[31mb":{T}}}',
        "raw NUL in a name": f'{{"a\0b":{T}}}',
        "unknown escape": f'{{"a\\x41":{T}}}',
        "half an escape": f'{{"a\\u00":{T}}}',
        "text without end": '{"abc',
        "number of 5,000 digits": T.join(['{"t":', "}"]).replace("[1]", f"[{'9' * 5000}]"),
        "number 1e400": T.join(['{"t":', "}"]).replace("[1]", "[1e400]"),
    }
    return file_cases("json", {name: (text(body), "") for name, body in bodies.items()})


def _encodings() -> list[Case]:
    found = {
        "byte order mark": (text(b"\xef\xbb\xbf{}"), ""),
        "UTF-16": (text("{}".encode("utf-16")), ""),
        "UTF-16 without mark": (text("{}".encode("utf-16-le")), ""),
        "UTF-32": (text("{}".encode("utf-32-le")), ""),
        "Latin-1 name": (text(f'{{"\xe9":{T}}}'.encode("latin-1")), "UTF-8"),
        "0xff in a name": (text(f'{{"a":{T}}}'.encode().replace(b"a", b"\xff", 1)), "UTF-8"),
        "overlong slash": (text(b'{"\xc0\xaf":1}'), "UTF-8"),
        "encoded surrogate": (text(b'{"\xed\xa0\x80":1}'), "UTF-8"),
        "letter cut in the middle": (text(b'{"\xe2\x82":1}'), "UTF-8"),
        "beyond U+10FFFF": (text(b'{"\xf4\x90\x80\x80":1}'), "UTF-8"),
        "half a surrogate in a name": (text(f'{{"a\\ud800":{T}}}'), "surrogate"),
        "surrogates in the wrong order": (text(f'{{"\\udc00\\ud800":{T}}}'), "surrogate"),
        "half a surrogate in metadata": (text('{"__metadata__":{"a":"\\udfff"}}', 0), "surrogate"),
        "NUL in a name": (text(f'{{"a\\u0000b":{T}}}'), "NUL"),
        "NUL in metadata": (text('{"__metadata__":{"a\\u0000":"x"}}', 0), "NUL"),
        "NUL in an unknown field": (text(f'{{"t":{T[:-1]},"x":"\\u0000"}}}}'), "NUL"),
    }
    return file_cases("encoding", found)


def _twice() -> list[Case]:
    other = '{"dtype":"I32","shape":[1],"data_offsets":[0,4]}'
    bodies = {
        "a tensor": f'{{"t":{T},"t":{T}}}',
        "a tensor of two types": f'{{"t":{T},"t":{other}}}',
        "a tensor, once escaped": f'{{"t":{T},"\\u0074":{T}}}',
        "an empty tensor": '{"e":%s,"e":%s}' % ((json.dumps(entry("F32", [0], 0, 0)),) * 2),
        "the metadata": '{"__metadata__":{},"__metadata__":{}}',
        "the metadata, once escaped": '{"__metadata__":{},"\\u005f_metadata__":{}}',
        "a metadata key": '{"__metadata__":{"license":"mit","license":"agpl"}}',
        "dtype": f'{{"t":{T[:-1]},"dtype":"I32"}}}}',
        "shape": f'{{"t":{T[:-1]},"shape":[1]}}}}',
        "data_offsets": f'{{"t":{T[:-1]},"data_offsets":[0,4]}}}}',
        "an unknown field": f'{{"t":{T[:-1]},"x":1,"x":2}}}}',
    }
    return file_cases("twice", {name: (text(body), "twice") for name, body in bodies.items()})


def _deep() -> list[Case]:
    found = {}
    for depth in (1_100, 20_000, 40_000):
        found[f"{depth} lists"] = (text('{"t":' + "[" * depth + "]" * depth + "}"), "")
        found[f"{depth} lists without end"] = (text('{"t":' + "[" * 2 * depth), "")
    found["10,000 objects"] = (text('{"t":' * 10_000 + "1" + "}" * 10_000), "")
    found["10,000 lists in a shape"] = (
        text(f'{{"t":{T.replace("[1]", "[" * 10_000 + "]" * 10_000)}}}'),
        "",
    )
    found["10,000 lists in metadata"] = (
        text('{"__metadata__":{"a":' + "[" * 10_000 + "]" * 10_000 + "}}", 0),
        "",
    )
    return file_cases("deep", found)


def _metadata() -> list[Case]:
    values = {
        "a list": "[]",
        "a text": '"x"',
        "a number": "1",
        "false": "false",
        "holds a number": '{"a":1}',
        "holds null": '{"a":null}',
        "holds true": '{"a":true}',
        "holds a list": '{"a":["x"]}',
        "holds an object": '{"a":{"b":"c"}}',
        "holds a tensor": f'{{"a":{T}}}',
        "holds 2,000 texts and a number": json.dumps(
            {**{f"k{n}": "v" for n in range(2000)}, "z": 1}
        ),
    }
    bodies = {name: (f'{{"__metadata__":{value}}}') for name, value in values.items()}
    return file_cases("metadata", {k: (text(v, 0), "__metadata__") for k, v in bodies.items()})
