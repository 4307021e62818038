"""Signal of a store, gene by gene: held once in memory, or streamed from disk where it is larger than allowed."""

from collections.abc import Iterator

import numpy as np

from cistron.errors import InputError
from cistron.formats.gene_tracks import GENES_PER_CHUNK, GeneTracks
from cistron.runtime import random_generator

MEMORY_BYTES = 4_000_000_000
_CHUNKS_TOGETHER = 16  # chunks that are shuffled together when streaming


class Signal:
    """Marks of some genes and cell types.

    Parameters
    ----------
    store
        Open store.
    genes
        Rows of the genes, int, sorted.
    cell_types
        Numbers of the cell types; all when absent.
    memory
        Bytes that may be held; what is larger is streamed.
    permutation
        For the negative control: gene i gets the marks of gene ``permutation[i]`` of the store.

    Raises
    ------
    InputError
        If a measured track has a value that is not finite.
    """

    def __init__(
        self,
        store: GeneTracks,
        genes: np.ndarray,
        cell_types: np.ndarray | None = None,
        *,
        memory: int = MEMORY_BYTES,
        permutation: np.ndarray | None = None,
    ) -> None:
        self._store, self.genes = store, np.asarray(genes)
        self.cell_types = np.arange(len(store.cell_types)) if cell_types is None else np.asarray(cell_types)
        self.measured = store.tracks.measured[self.cell_types]
        self._source = self.genes if permutation is None else permutation[self.genes]
        shape = (len(self.genes), len(self.cell_types), len(store.marks), store.bins)
        self.shape = shape
        self._held: np.ndarray | None = None
        if 4 * int(np.prod(shape)) <= memory:
            self._held = np.empty(shape, np.float32)
            for start in range(0, len(self.genes), GENES_PER_CHUNK):
                rows = slice(start, start + GENES_PER_CHUNK)
                self._held[rows] = self._read(self._source[rows])

    @property
    def in_memory(self) -> bool:
        """Whether everything is held."""
        return self._held is not None

    def _read(self, source: np.ndarray) -> np.ndarray:
        """Rows of the store, 0 where a track was not measured."""
        order = np.argsort(source, kind="stable")
        values = self._store.tracks.values.take(source[order])[:, self.cell_types]
        values[:, ~self.measured] = 0.0
        bad = ~np.isfinite(values).all(axis=(1, 2, 3))
        if bad.any():
            raise InputError(
                f"{self._store.path.name}: gene {self._store.genes[source[order][bad][0]]} has NaN in a track that is marked as "
                "measured; build the data again"
            )
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return values[back]

    def __len__(self) -> int:
        return len(self.genes)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Marks of some genes (numbers within ``genes``), float32 [gene, cell type, mark, bin]."""
        return self._held[rows] if self._held is not None else self._read(self._source[rows])

    def blocks(self, size: int = 256) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Go through all genes in order: numbers and marks."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield rows, self.read(rows)

    def shuffled(
        self, size: int, seed: int, epoch: int, rank: int = 0, ranks: int = 1
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Go through all genes in batches of random order; when streaming, neighbouring chunks are shuffled together.

        Of several processes all take as many batches, and what is left over is left out. When streaming, each reads chunks of its own.

        Parameters
        ----------
        size
            Genes in a batch.
        seed, epoch
            They determine the order.
        rank
            Number of this process, from 0.
        ranks
            Number of processes.

        Yields
        ------
        rows, values : ndarray
            Numbers of the genes and their marks; marks that are held and are another process's turn are ``None``.
        """
        random = random_generator(seed, "chromatin batches", epoch)
        if self._held is not None:
            order = random.permutation(len(self))
            batches = np.array_split(order, _batches_of(len(order), size))
            for number, rows in enumerate(batches[: len(batches) // ranks * ranks]):
                yield rows, self._held[rows] if number % ranks == rank else None
            return
        chunks = np.array_split(np.arange(len(self)), max(1, len(self) // GENES_PER_CHUNK))
        together = random.permutation(len(chunks))
        starts = list(range(0, len(chunks), _CHUNKS_TOGETHER))
        buffers = [together[start : start + _CHUNKS_TOGETHER] for start in starts]
        if ranks > 1:
            rounds = -(-len(chunks) // (_CHUNKS_TOGETHER * ranks))
            buffers = np.array_split(together, rounds * ranks)
        for first in range(0, len(buffers), ranks):
            sizes = [sum(len(chunks[n]) for n in one) for one in buffers[first : first + ranks]]
            steps = min(_batches_of(genes, size) for genes in sizes) if min(sizes) else 0
            if not steps:
                continue
            rows = np.sort(np.concatenate([chunks[n] for n in buffers[first + rank]]))
            values = self.read(rows)
            order = random.permutation(len(rows))
            for part in np.array_split(order, _batches_of(len(rows), size))[:steps]:
                yield rows[part], values[part]


def _batches_of(genes: int, size: int) -> int:
    return max(1, round(genes / size))


def permutation_of(store: GeneTracks, seed: int) -> np.ndarray:
    """Permutation of the genes for the negative control, in which each gene is given the marks of another."""
    return random_generator(seed, "permuted input").permutation(len(store.genes))
