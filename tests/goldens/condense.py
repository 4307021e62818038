"""What a file or folder holds, condensed to something small that can be committed and compared."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# What differs between two runs of the same code, or belongs to the run and not to the result.
PASSING = re.compile(
    r"version|sha256|path|time|run_id|seconds|started|duration|^sources$|parameters|complete|platform|digest|fingerprint"
)
# Records of a run, files that hold times, and files that only their presence matters of.
IGNORED = re.compile(
    r"run\.json$|\.fetched\.json$|journal|\.ckpt$|(^|/)shards(/|$)|\.fai$|\.gzi$|\.lock$|(^|/)(cells|rows)/[0-9a-f]{8}|(^|/)genes/[a-z]+-[0-9a-f]{16}"
)
PRESENT = (".png", ".pdf", ".md", ".svg")


def digest(words: Iterable[Any]) -> str:
    """First 12 letters of the SHA-256 of words, one a line."""
    return hashlib.sha256("\n".join(map(str, words)).encode()).hexdigest()[:12]


def _file_name(word: Any) -> str:
    """Of a path the name of the file, since folders differ; other words as they are."""
    return str(word).rpartition("/")[2] if str(word)[:1] == "/" else str(word)


def number(value: Any) -> float | None:
    """A float at 7 digits; none where it is not finite."""
    return float(f"{float(value):.7g}") if np.isfinite(value) else None


def array(values: Any, samples: int = 24) -> dict[str, Any]:
    """Shape, sums and evenly spread values of an array of numbers; shape, digest and first words of one of texts."""
    values = np.asarray(values)
    if values.dtype.kind not in "biufc":
        words = [_file_name(word) for word in values.astype(str).ravel().tolist()]
        return {"shape": list(values.shape), "digest": digest(words), "first": words[:3]}
    flat = values.astype(np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    places = np.unique(np.linspace(0, max(len(flat) - 1, 0), samples).astype(int)) if len(flat) else []
    return {
        "shape": list(values.shape),
        "kind": values.dtype.kind,
        "missing": int(len(flat) - len(finite)),
        "sum": number(finite.sum()),
        "absolute_sum": number(np.abs(finite).sum()),
        "values": [number(flat[place]) for place in places],
    }


def frame(table: pd.DataFrame) -> dict[str, Any]:
    """Columns of a table; edges by source and target, since what is equally strong is in any order."""
    if {"source", "target", "weight"} <= set(table.columns):
        table = table.sort_values(["source", "target"])
    columns = {
        str(name): array(table[name].to_numpy(), samples=8)
        for name in table.columns
        if not PASSING.search(str(name))
    }
    return {"rows": len(table), "columns": columns}


def header(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a header that must not change."""
    kept = {str(key): plain(value) for key, value in values.items() if not PASSING.search(str(key))}
    return {key: kept[key] for key in sorted(kept)}


def _leaves(value: Any) -> Iterator[Any]:
    """What stands in lists of lists; floats are told from words, so that they can be compared with a tolerance."""
    for item in value:
        if isinstance(item, list | tuple):
            yield from _leaves(item)
        else:
            yield item


def plain(value: Any) -> Any:
    """Anything as small JSON: long lists and texts become digests."""
    if isinstance(value, Mapping):
        return header(value)
    if isinstance(value, pd.DataFrame):
        return frame(value)
    if isinstance(value, np.ndarray):
        return array(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        if len(value) <= 6:
            return [plain(item) for item in value]
        if all(isinstance(item, int | float) for item in value):
            return array(value, samples=8)
        leaves = list(_leaves(value))
        words = [_file_name(leaf) for leaf in leaves if not isinstance(leaf, float)]
        floats = [leaf for leaf in leaves if isinstance(leaf, float)]
        found = {"length": len(value), "digest": digest(words), "first": [word[:60] for word in words[:2]]}
        return {**found, "numbers": array(floats, samples=8)} if floats else found
    if isinstance(value, str):
        if value[:2] in ("{}", '{"'):  # JSON, and not the form of a number
            return header(json.loads(value))
        return value if len(value) <= 120 else {"length": len(value), "first": value[:60]}
    return number(value) if isinstance(value, float) else value


def annotated(data: Any) -> dict[str, Any]:
    """An AnnData."""
    found: dict[str, Any] = {"shape": list(data.shape), "obs_names": array(data.obs_names)}
    found["var_names"] = array(data.var_names)
    for name, matrix in [("X", data.X), *((f"layer {name}", data.layers[name]) for name in data.layers)]:
        if matrix is not None:
            found[name] = array(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
    found["obs"], found["var"] = frame(data.obs), frame(data.var)
    for key in data.uns:
        found[f"uns {key}"] = plain(data.uns[key])
    return found


def _h5ad(path: Path) -> dict[str, Any]:
    import anndata

    return annotated(anndata.read_h5ad(path))


def _zarr(path: Path) -> dict[str, Any]:
    import zarr

    def of(group: Any) -> dict[str, Any]:
        # sizes of compressed chunks hang on the last digit of their floats
        found = {"attributes": header({key: value for key, value in group.attrs.items() if key != "files"})}
        for name, member in sorted(group.members()):
            found[name] = of(member) if isinstance(member, zarr.Group) else array(member[...])
        return found

    return of(zarr.open_group(path, mode="r"))


def _table(path: Path) -> dict[str, Any]:
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    separator = "," if path.name.endswith(".csv") else "\t"
    table = pd.read_csv(path, sep=separator, comment="#" if comments else None)
    kept = [line for line in comments if not PASSING.search(line)]
    return {"comments": kept, **frame(table)} if comments else frame(table)


def _text(path: Path) -> dict[str, Any]:
    lines = path.read_text().splitlines()
    words = [line.split() for line in lines]
    found: dict[str, Any] = {"lines": len(lines), "first": lines[0], "words": digest(row[0] for row in words)}
    if len(words) > 1 and len(words[1]) > 1:
        try:
            found["numbers"] = array([[float(word) for word in row[1:]] for row in words[1:]])
        except ValueError:  # words
            found["all"] = digest(word for row in words for word in row)
    return found


def _tensors(path: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return {name: array(values, samples=6) for name, values in sorted(load_file(path).items())}


def _page(path: Path) -> dict[str, Any]:
    text = path.read_text()
    headings = re.findall(r"<h[1-3][^>]*>(.*?)</h[1-3]>", text, re.S)
    return {
        "headings": [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in headings],
        "figures": len(re.findall(r"<(?:img|svg)\b", text)),
    }


def _bigwig(path: Path) -> dict[str, Any]:
    import pybigtools

    with pybigtools.open(str(path)) as opened:
        chromosomes = dict(opened.chroms())
        rows = [row for name in chromosomes for row in opened.records(name)]
    return {"chromosomes": chromosomes, "intervals": array(np.array(rows, dtype=float))}


READERS = {
    ".h5ad": _h5ad,
    ".zarr": _zarr,
    ".tsv": _table,
    ".csv": _table,
    ".txt": _text,
    ".json": lambda path: plain(json.loads(path.read_text())),
    ".toml": lambda path: plain(tomllib.loads(path.read_text())),
    ".safetensors": _tensors,
    ".html": _page,
    ".bw": _bigwig,
    ".bigwig": _bigwig,
}


def condense(path: Path, without: str = "") -> dict[str, Any]:
    """Condense a file, or all files of a folder by their path in it; ``without`` are rows that are not held."""
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        named = set(re.findall(r"[a-z_]+(?= ==)", without))
        return frame(table.query(f"not ({without})") if named and named <= set(table.columns) else table)
    if path.suffix in READERS:
        return READERS[path.suffix](path)
    if path.is_file():
        return {"present": True}
    found = {}
    for inner in sorted(path.iterdir()):
        if IGNORED.search(inner.name):
            continue
        if inner.is_dir() and inner.suffix != ".zarr":
            found |= {f"{inner.name}/{name}": value for name, value in condense(inner, without).items()}
        else:
            found[inner.name] = {"present": True} if inner.suffix in PRESENT else condense(inner, without)
    return found


_NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?%?")


def _text_differs(golden: str, found: str, tolerance: float) -> bool:
    """Whether the words differ, or a number by more than the tolerance and one unit of its last place."""
    if _NUMBER.sub("#", golden) != _NUMBER.sub("#", found):
        return True
    for first, second in zip(_NUMBER.findall(golden), _NUMBER.findall(found)):
        text = first.strip("%,").replace(",", "")
        unit = 10.0 ** -len(text.partition(".")[2]) if "." in text else 0.0
        a, b = float(text), float(second.strip("%,").replace(",", ""))
        if abs(a - b) > tolerance * max(abs(a), abs(b)) + 1.01 * unit:
            return True
    return False


def differences(golden: Any, found: Any, tolerance: float, where: str = "", scale: float = 0.0) -> list[str]:
    """List where what was found differs from the golden.

    Whole numbers, texts, shapes and names are compared exactly; floats with ``tolerance``, relative to the value or to
    the mean size of its array, whichever is larger.
    """
    if isinstance(golden, dict) and isinstance(found, dict):
        told = [f"{where}/{key} is gone" for key in golden if key not in found]
        told += [f"{where}/{key} is new" for key in found if key not in golden]
        size = golden.get("absolute_sum") or 0.0
        count = max(1, int(np.prod(golden.get("shape") or [1])))
        for key in golden:
            if key in found:
                inner = size if key in ("sum", "absolute_sum") else size / count
                told += differences(golden[key], found[key], tolerance, f"{where}/{key}", inner)
        return told
    if isinstance(golden, list) and isinstance(found, list):
        if len(golden) != len(found):
            return [f"{where} has {len(found)} entries, the golden {len(golden)}"]
        told = []
        for place, (first, second) in enumerate(zip(golden, found)):
            told += differences(first, second, tolerance, f"{where}[{place}]", scale)
        return told
    if isinstance(golden, float) and isinstance(found, int | float) and not isinstance(found, bool):
        if abs(golden - found) <= tolerance * max(abs(golden), abs(found), scale):
            return []
    elif isinstance(golden, str) and isinstance(found, str) and where.startswith("/printed"):
        if not _text_differs(golden, found, tolerance):
            return []
    elif golden == found and type(golden) is type(found):
        return []
    return [f"{where} is {found!r}, the golden {golden!r}"]
