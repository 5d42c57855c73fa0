"""Recipes that are bombs, programs, riddles, or no recipes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.cases import Case, put

FILE = "recipe.yaml"
HEAD = "version: 1\nname: x\n"
EMPTY = HEAD + "edits: []\n"
EDIT = HEAD + "edits:\n  - method: quickfix\n    concepts: [{erase: van gogh}]\n"


def cases() -> list[Case]:
    texts = {**_yaml(), **_encodings(), **_tags(), **_values()}
    return [*(_case(name, text) for name, text in texts.items()), *_places()]


def _case(name: str, text: str | bytes) -> Case:
    return Case(
        "recipe", name, lambda folder: str(put(folder / FILE, text)), "", FILE, kind="recipe"
    )


def _yaml() -> dict[str, str]:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return {
        "billion laughs": laughs,
        "anchor": HEAD + "edits: &e []\n",
        "alias": HEAD + "edits: *e\n",
        "alias of itself": HEAD + "edits: &e [*e]\n",
        "merge key": HEAD + "<<: {edits: []}\n",
        "20,000 brackets": HEAD + "edits: " + "[" * 20_000,
        "20,000 closed brackets": HEAD + "edits: " + "[" * 20_000 + "]" * 20_000,
        "20,000 braces": HEAD + "edits: " + "{a: " * 20_000,
        "500 block levels": HEAD + "".join(f"{' ' * n}a:\n" for n in range(400)),
        "block list of 5,000 levels": HEAD + "edits:\n" + "- " * 5_000 + "x\n",
        "30,000 values": HEAD + "edits: [" + "x," * 30_000 + "]\n",
        "5,000 keys": HEAD + "".join(f"k{n}: v\n" for n in range(5_000)) + "edits: []\n",
        "90 kB in one text": HEAD + f"edits: {'x' * 90_000}\n",
        "90 kB in one key": EMPTY + f"{'k' * 90_000}: 1\n",
        "90 kB in one key after a question mark": f"{EMPTY}? {'k' * 90_000}\n: 1\n",
        "90 kB in one anchor": HEAD + f"edits: &{'a' * 90_000} []\n",
        "90 kB in one alias": HEAD + f"edits: *{'a' * 90_000}\n",
        "90 kB of line breaks": HEAD + "edits:" + "\n" * 90_000 + " []\n",
        "90 kB of mistakes": HEAD + "edits:\n" + "- {method: quickfix, a: 1, b: 2}\n" * 2_600,
        "90 kB of empty edits": HEAD + "edits: [" + "{}," * 30_000 + "]\n",
        "key twice": HEAD + "edits: []\nedits: []\n",
        "key twice, once quoted": EMPTY + '"name": y\n',
        "two documents": EMPTY + "---\n" + EMPTY,
        "document end and rest": EMPTY + "...\nmore: 1\n",
        "empty": "",
        "comment only": "# nothing\n",
        "end mark only": "---\n...\n",
        "a list": "- version: 1\n",
        "a text": "remove van gogh\n",
        "null": "null\n",
        "open quote": EMPTY + 'description: "x\n',
        "open bracket": HEAD + "edits: [\n",
        "tabs": "version: 1\nname: x\nedits:\n\t- method: quickfix\n",
        "colon twice": "version: 1: 2\n",
        "key without value, list key": "? [a, b]\n: c\n",
        "mapping as key": "{a: 1}: 2\n",
        "text that goes on": HEAD + "edits: []\n x\n",
        "at sign": HEAD + "edits: @x\n",
        "backtick": HEAD + "edits: `id`\n",
    }


def _encodings() -> dict[str, str | bytes]:
    return {
        "NUL": EMPTY.encode() + b"\0",
        "NUL in an escape": EMPTY + 'description: "a\\0b"\nzzz: 1\n',
        "only NUL": bytes(200),
        "UTF-16": EMPTY.encode("utf-16"),
        "UTF-16 without mark": EMPTY.encode("utf-16-le"),
        "UTF-32": EMPTY.encode("utf-32"),
        "Latin-1": HEAD.encode() + b"description: caf\xe9\nedits: []\n",
        "overlong": HEAD.encode() + b"description: \xc0\xaf\nedits: []\n",
        "half a surrogate": EMPTY + 'description: "\\ud800"\n',
        "encoded surrogate": EMPTY.encode() + b"description: \xed\xa0\x80\n",
        "raw ESC": EMPTY + "description: \x1b[31mred\n",
        "raw bell in a key": EMPTY + "\x07key: 1\n",
        "ESC in a key": EMPTY + '"\\e[31mkey": 1\n',
        "bidi in a key": EMPTY + '"a\\u202eb": 1\n',
        "line break in a key": EMPTY + '"a\\nError: fine": 1\n',
        "markup in a key": EMPTY + '"[red]a[/]": 1\n',
        "closing markup in a key": EMPTY + '"[/]": 1\n',
        "safetensors": b"\x02\0\0\0\0\0\0\0{}",
        "pickle": b"\x80\x04}.",
        "binary noise": bytes(range(256)),
    }


def _tags() -> dict[str, str]:
    tags = {
        "python object": "!!python/object/apply:os.system ['true']",
        "python name": "!!python/name:os.system",
        "python module": "!!python/module:os",
        "own tag": "!include /etc/passwd",
        "environment": "!env HOME",
        "text": "!!str x",
        "integer": "!!int 1",
        "binary": "!!binary aGk=",
        "set": "!!set {a}",
        "time": "!!timestamp 2020-01-01",
        "not specific": "! x",
        "full": "!<tag:yaml.org,2002:str> x",
        "with ESC": "!%1B x",
    }
    found = {f"tag, {name}": f"{EMPTY}description: {tag}\n" for name, tag in tags.items()}
    found["tag of 90 kB"] = f"{EMPTY}description: !{'a' * 90_000}\n"
    found["tag of 90 kB of escapes"] = f"{EMPTY}description: !{'%41' * 30_000}\n"
    found["%YAML with 90,000 digits"] = f"%YAML 1.{'9' * 90_000}\n---\n{EMPTY}"
    found["directive of 90 kB"] = f"%{'a' * 90_000}\n---\n{EMPTY}"
    found["30,000 directives"] = "%a\n" * 30_000 + f"---\n{EMPTY}"
    found["directive of a second document"] = f"{EMPTY}...\n%YAML 1.{'9' * 9_000}\n"
    found["%TAG"] = "%TAG ! tag:example.org,2000:\n---\n" + EMPTY
    found["%YAML 1.1"] = "%YAML 1.1\n---\n" + EMPTY
    found["%YAML 9.9"] = "%YAML 9.9\n---\n" + EMPTY
    found["tag on a key"] = EMPTY + "!!str description: x\n"
    found["tag on the recipe"] = "!recipe\n" + EMPTY
    return found


def _values() -> dict[str, str]:
    wrong = {
        "version": ("2", "'1'", "1.0", "true", "null", "9" * 5000, "[]"),
        "name": (
            "''",
            "../x",
            "a/b",
            "'a\\0b'",
            '"a\\nb"',
            "-rf",
            "1",
            "null",
            "~",
            "x" * 101,
            "[x]",
        ),
        "seed": ("-1", "1.5", "9223372036854775808", "9" * 4000, "x", ".nan", "1e999", "true"),
        "edits": (
            "null",
            "{}",
            "x",
            "[null]",
            "[[]]",
            "[{}]",
            "[{method: none}]",
            "[{method: []}]",
        ),
        "expect": (
            "[]",
            "x",
            "{leak: 1}",
            "{leak: {max: -1}}",
            "{leak: {max: .nan}}",
            "{leak: {max: .inf}}",
            "{leak: {max: 1e999}}",
            "{untouched: yes}",
            "{blood: 1}",
        ),
        "model": ("1", "[]", "{}"),
        "description": ("1", "[x]", "{a: b}"),
        "surprise": ("1",),
    }
    base = {"version": "1", "name": "x", "edits": "[]"}
    found = {}
    for key, values in wrong.items():
        for value in values:
            fields = base | {key: value}
            shown = f"{key}: {value[:24]}"
            found[shown] = "".join(f"{name}: {text}\n" for name, text in fields.items())
    found |= {
        f"no {key}": "".join(f"{k}: {v}\n" for k, v in base.items() if k != key) for key in base
    }
    edit = (
        "strength: .nan",
        "strength: .inf",
        "strength: x",
        "ridge: -1",
        "ridge: 0x",
        "model: ../x",
    )
    found |= {f"edit, {text}": f"{EDIT}    {text}\n" for text in edit}
    concepts = (
        "[]",
        "[{}]",
        "[{erase: ''}]",
        "[{erase: 1}]",
        "[{erase: a, kind: x}]",
        "x",
        "{a: b}",
    )
    found |= {f"concepts: {text}": EDIT.replace("[{erase: van gogh}]", text) for text in concepts}
    return found


def _places() -> list[Case]:
    def place(name: str, build: Callable[[Path], object]) -> Case:
        def make(folder: Path) -> str:
            build(folder / FILE)
            return str(folder / FILE)

        return Case("recipe", name, make, "", FILE, kind="recipe")

    def sparse(path: Path) -> None:
        os.truncate(put(path, EMPTY), 3 << 30)

    def to(target: str) -> Callable[[Path], object]:
        return lambda path: path.symlink_to(target)

    return [
        place("of 3 GB", sparse),
        place("is a pipe", os.mkfifo),
        place("is a folder", lambda path: path.mkdir()),
        place("is a device", to("/dev/zero")),
        place("is a terminal", to("/dev/tty")),
        place("links to itself", to(FILE)),
        place("links to nothing", to("nothing")),
        place("is not there", lambda path: None),
    ]
