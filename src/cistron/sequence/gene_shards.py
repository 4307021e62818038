"""Shards of genes: the loop that embeddings from DNA and from proteins share."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cistron.runtime import run_shards
from cistron.runtime.shards import fingerprint


def run_gene_shards(
    function: Callable[..., None],
    genes: Sequence[Any],
    common: Mapping[str, Any],
    output: Path,
    *,
    tag: Any,
    shard_size: int,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    description: str = "embedding genes",
) -> dict[str, np.ndarray]:
    """Run ``function(path, genes=..., **common)`` for each shard of genes that is not finished, and join the results.

    Parameters
    ----------
    function
        Importable function that writes the arrays of its genes as .npz, first axis gene.
    genes
        What the function is told of each gene, as plain values.
    common
        Further arguments of the function, the same for all shards.
    output
        File that the embedding will be written to; finished shards are kept in a hidden folder beside it until then.
    tag
        All that the result depends on; shards of other work are never met.
    shard_size
        Genes of a shard.
    workers, threads, scheduler, description
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    dict of str to ndarray
        Arrays of all shards, one after the other.
    """
    shards = {
        f"genes-{first:06d}": {"genes": genes[first : first + shard_size], **common}
        for first in range(0, len(genes), shard_size)
    }
    paths = run_shards(
        function,
        shards,
        output.parent / f".{output.name}.shards-{fingerprint(tag)}",
        suffix=".npz",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description=description,
    )
    parts: list[dict[str, np.ndarray]] = []
    for path in paths.values():
        with np.load(path) as arrays:
            parts.append({name: arrays[name] for name in arrays.files})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def discard_shards(output: str | Path) -> None:
    """Remove the finished shards of an embedding that was written."""
    output = Path(output)
    for directory in output.parent.glob(f".{output.name}.shards-*"):
        shutil.rmtree(directory, ignore_errors=True)
