"""Folders and shard indexes that point outside, at too much, at too little, or in a circle."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

from tests.hostile.bad_headers import GOOD
from tests.hostile.cases import FILE, Case, put
from tests.store.build import file_bytes, write_pipeline, write_shards

INDEX = "model.safetensors.index.json"
FIRST, SECOND = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))


def cases() -> list[Case]:
    return [*_bare(), *_model_index(), *_components(), *_indexes(), *_shards()]


def _case(name: str, file: str, build: Callable[[Path], object], says: str = "") -> Case:
    """A folder `m`; the error must name `file` in it (or the folder itself)."""

    def make(folder: Path) -> str:
        root = folder / "m"
        root.mkdir()
        build(root)
        return str(root)

    return Case("folder", name, make, says, file)


def _bare() -> list[Case]:
    def loose(root: Path) -> None:
        put(root / FILE, GOOD)

    def configured(name: str, raw: bytes) -> Callable[[Path], None]:
        def build(root: Path) -> None:
            put(root / "config.json", "{}")
            put(root / name, raw)

        return build

    def two(root: Path) -> None:
        for name in ("config.json", "a.safetensors", "b.safetensors"):
            put(root / name, "{}" if name.endswith("json") else GOOD)

    bomb = pickle.dumps({"a": 1}, 2)
    return [
        _case("empty", "m", lambda root: None, "model_index"),
        _case("weights without model_index or config", "m", loose, "model_index"),
        _case("config without weights", "m", lambda root: put(root / "config.json", "{}")),
        _case("pickle only", "m", configured("pytorch_model.bin", bomb), "pickle"),
        _case("disguised pickle", FILE, configured(FILE, bomb)),
        _case("web page as weights", FILE, configured(FILE, b"<html></html>"), "web page"),
        _case("two weight files", "m", two, "several"),
        _case("empty weights", FILE, configured(FILE, b""), "empty"),
    ]


def _model_index() -> list[Case]:
    file = "model_index.json"
    texts: dict[str, str | bytes] = {
        "empty": "",
        "cut": '{"unet": ["diff',
        "a list": "[]",
        "a text": '"unet"',
        "null": "null",
        "deep": "[" * 50_000,
        "deep objects": '{"a":' * 20_000,
        "bad UTF-8": b'{"a": "\xff"}',
        "UTF-16": '{"a": 1}'.encode("utf-16"),
        "byte order mark": b'\xef\xbb\xbf{"a": 1}',
        "NaN": '{"a": NaN}',
        "key twice": '{"unet": ["a", "b"], "unet": ["c", "d"]}',
        "half a surrogate": '{"a": "\\ud800"}',
        "NUL": '{"a\\u0000": ["a", "b"]}',
        "number of 5,000 digits": f'{{"a": {"9" * 5000}}}',
        "HTML": "<!doctype html>",
        "Python": "{'unet': None}",
    }
    found = [_case(f"model_index, {k}", file, _writer(file, v)) for k, v in texts.items()]
    outside = ("../secret", "/etc", "..", "a/b", "a\\b", ".")
    for name in outside:
        text = json.dumps({name: ["diffusers", "UNet2DConditionModel"]})
        found.append(_case(f"component '{name}'", file, _writer(file, text), "plain"))

    def sparse(root: Path) -> None:
        os.truncate(put(root / file, "{}"), 3 << 30)

    found.append(_case("model_index of 3 GB", file, sparse, "3.2 GB"))
    found.append(_case("model_index is a pipe", file, lambda root: os.mkfifo(root / file)))
    found.append(_case("model_index is a folder", "m", lambda root: (root / file).mkdir()))
    found.append(_case("no component", "m", _writer(file, "{}"), "no safetensors"))
    return found


def _writer(name: str, text: str | bytes) -> Callable[[Path], object]:
    return lambda root: put(root / name, text)


def _components() -> list[Case]:
    """A sound pipeline with one thing put in its place."""

    def broken(build: Callable[[Path], object]) -> Callable[[Path], None]:
        def make(root: Path) -> None:
            write_pipeline(root)
            build(root)

        return make

    def replaced(name: str, build: Callable[[Path], object]) -> Callable[[Path], None]:
        def make(root: Path) -> None:
            path = write_pipeline(root) / name
            path.unlink(missing_ok=True)
            build(path)

        return make

    weights, config = "text_encoder/model.safetensors", "unet/config.json"
    to = Path.symlink_to
    return [
        _case("a loop of links", "loop", broken(lambda root: to(root / "unet" / "loop", ".."))),
        _case("a link to itself", "me", broken(lambda root: to(root / "me", "me"))),
        _case("a link to nothing", "gone", broken(lambda root: to(root / "gone", "nowhere"))),
        _case("a pipe among the files", "pipe", broken(lambda root: os.mkfifo(root / "pipe"))),
        _case(
            "a device among the files", "dev", broken(lambda root: to(root / "dev", "/dev/zero"))
        ),
        _case(
            "40 folders deep",
            "d",
            broken(lambda root: (root / "d/" / ("d/" * 40)).mkdir(0o777, True)),
        ),
        _case("weights are a pipe", "model.safetensors", replaced(weights, os.mkfifo)),
        _case(
            "weights link to nothing", "model.safetensors", replaced(weights, lambda p: to(p, "x"))
        ),
        _case(
            "weights are a device",
            "model.safetensors",
            replaced(weights, lambda p: to(p, "/dev/zero")),
        ),
        _case(
            "weights cut short", "model.safetensors", replaced(weights, lambda p: put(p, GOOD[:-1]))
        ),
        _case("config is a pipe", "config.json", replaced(config, os.mkfifo)),
        _case(
            "pipe named in control characters",
            "\\u001b[31m",
            broken(lambda root: os.mkfifo(root / "\x1b[31m")),
        ),
    ]


def _indexes() -> list[Case]:
    good = file_bytes({"a": ("F32", (2,))})
    names: dict[str, object] = {
        "above the folder": "../model.safetensors",
        "absolute": "/etc/passwd",
        "in a folder": "sub/model.safetensors",
        "backslash": "..\\model.safetensors",
        "the folder": ".",
        "the folder above": "..",
        "empty": "",
        "NUL": "a\0.safetensors",
        "a pickle": "model.bin",
        "no ending": "model",
        "a number": 1,
        "null": None,
        "a list": ["model.safetensors"],
        "missing": "other.safetensors",
        "ESC": "\x1b[31m.safetensors",
        "300 letters": "m" * 300 + ".safetensors",
    }
    found = []
    for name, shard in names.items():
        found.append(_index_case(f"shard name, {name}", {"weight_map": {"a": shard}}, good))
    maps: dict[str, object] = {
        "no weight_map": {"metadata": {}},
        "weight_map is a list": {"weight_map": []},
        "weight_map is empty": {"weight_map": {}},
        "weight_map is a text": {"weight_map": "model.safetensors"},
        "weight_map is null": {"weight_map": None},
        "a tensor too many": {"weight_map": {"a": FILE, "b": FILE}},
        "a tensor too few": {"weight_map": {"b": FILE}},
    }
    found += [_index_case(name, value, good) for name, value in maps.items()]
    texts: dict[str, str | bytes] = {
        "empty": "",
        "deep": '{"weight_map":' * 6_000,
        "key twice": '{"weight_map": {"a": "model.safetensors", "a": "x.safetensors"}}',
        "bad UTF-8": b'{"weight_map": {"\xff": "model.safetensors"}}',
        "a list": "[]",
    }
    return [*found, *(_index_case(f"index is {k}", v, good) for k, v in texts.items())]


def _index_case(name: str, content: object, good: bytes) -> Case:
    text = content if isinstance(content, str | bytes) else json.dumps(content)

    def make(folder: Path) -> str:
        put(folder / FILE, good)
        return str(put(folder / INDEX, text))

    return Case("index", name, make, "", "other.safetensors" if name.endswith("missing") else "")


def _shards() -> list[Case]:
    def broken(name: str, file: str, build: Callable[[Path], object], says: str = "") -> Case:
        def make(folder: Path) -> str:
            index = write_shards(folder, "model")
            (folder / file).unlink()
            build(folder / file)
            return str(index)

        return Case("shard", name, make, says, file)

    def own(raw: bytes) -> Callable[[Path], object]:
        return lambda path: put(path, raw)

    three = {"b.weight": ("F16", (5, 3)), "c": ("F16", (2,))}
    twice = {"b.weight": ("F16", (5, 3)), "a.bias": ("F32", (3,))}
    return [
        broken("is missing", FIRST, lambda path: None),
        broken("is a pipe", SECOND, os.mkfifo),
        broken("is a folder", SECOND, lambda path: path.mkdir()),
        broken("links to itself", SECOND, lambda path: path.symlink_to(path.name)),
        broken("is cut short", SECOND, own(file_bytes({"b.weight": ("F16", (5, 3))})[:-1])),
        broken("is empty", FIRST, own(b"")),
        broken("is a pickle", FIRST, own(pickle.dumps({}, 2))),
        broken("holds a tensor too many", SECOND, own(file_bytes(three)), "does not name"),
        broken("holds another's tensor", SECOND, own(file_bytes(twice)), "elsewhere"),
        broken("holds none", SECOND, own(file_bytes({})), "does not hold"),
        broken("holds names in other case", SECOND, own(file_bytes({"B.weight": ("F16", (5, 3))}))),
    ]
