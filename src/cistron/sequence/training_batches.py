"""Batches of training data: read ahead from stores, shifted and turned to the other strand on the fly, organisms in turn."""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cistron.errors import InputError
from cistron.runtime import random_generator
from cistron.sequence.settings import BIN
from cistron.sequence.training_store import MARGIN, TrainingStore

_AHEAD = 3  # batches that are read before they are asked for
_COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)
_ONE_HOT = torch.cat([torch.eye(4), torch.zeros(1, 4)])


@dataclass(frozen=True)
class Crop:
    """Which part of a store a model reads and predicts.

    Attributes
    ----------
    length
        Base pairs of input.
    crop
        Bins of 128 bp that a model cuts from either side.
    first, bins
        First bin of the store, and how many of the store's bins are targets.
    pool
        Bins of the store that make one of the model.
    """

    length: int
    crop: int
    first: int
    bins: int
    pool: int


def fit_crop(store: TrainingStore, length: int | None) -> Crop:
    """Lay a model's input and output on a store's DNA and targets.

    Parameters
    ----------
    store
        Store.
    length
        Base pairs of input; those of the store when absent.

    Returns
    -------
    Crop
        The longest output that both have.

    Raises
    ------
    InputError
        If the store's bins do not fit those of the model, or the input is longer than the stored DNA.
    """
    length = length or store.input_length // BIN * BIN
    name, bin_size = store.path.name, store.tracks.bin_size
    if BIN % bin_size:
        raise InputError(
            f"{name} has bins of {bin_size} bp, which do not make up the model's of {BIN} bp; build it with --bin-size 128, 64 or 32"
        )
    if length % BIN or length > store.input_length:
        raise InputError(
            f"--length must be a multiple of {BIN} and at most the {store.input_length:,} bp of DNA that {name} holds. Given: {length:,}"
        )
    span = int(store.tracks.values.shape[3]) * bin_size
    crop = max(0, -(-(length - span) // (2 * BIN)))
    output = length - 2 * crop * BIN
    if output < BIN or (span - output) % (2 * bin_size):
        raise InputError(
            f"{name}: the {span:,} bp of its targets do not lie evenly around inputs of {length:,} bp; give another --length"
        )
    first = (span - output) // (2 * bin_size)
    return Crop(length, crop, first, output // bin_size, BIN // bin_size)


class OrganismData:
    """The sequences of some folds of one store, as a model reads them.

    Parameters
    ----------
    store
        Store.
    rows
        Sequences, int [row].
    crop
        Part of the store that is read.
    """

    def __init__(self, store: TrainingStore, rows: np.ndarray, crop: Crop) -> None:
        self.store, self.rows, self.crop = store, np.asarray(rows), crop
        self.partners = store.tracks.tracks["strand_pair"].to_numpy(np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def read(
        self,
        rows: np.ndarray,
        shifts: np.ndarray | None = None,
        reversed_: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read DNA and targets of sequences.

        Parameters
        ----------
        rows
            Rows of the store, int [batch].
        shifts
            Base pairs by which the input is moved, int [batch]; 0 when absent.
        reversed_
            Which are read from the other strand, bool [batch]; none when absent.

        Returns
        -------
        codes : ndarray
            uint8 [batch, length].
        targets : ndarray
            float32 [batch, bin, track].
        """
        crop, width = self.crop, self.crop.length
        start = MARGIN + (self.store.input_length - width) // 2
        dna = self.store.dna.take(rows)
        moves = np.zeros(len(rows), np.int64) if shifts is None else shifts
        codes = np.stack([line[start + move : start + move + width] for line, move in zip(dna, moves)])
        values = self.store.tracks.values.take(rows)[:, 0, :, crop.first : crop.first + crop.bins]
        if crop.pool > 1:
            values = values.reshape(*values.shape[:2], -1, crop.pool).mean(axis=3)
        targets = values.transpose(0, 2, 1)  # [batch, bin, track]
        if reversed_ is not None and reversed_.any():
            codes[reversed_] = _COMPLEMENT[codes[reversed_, ::-1]]
            targets = targets.copy()
            targets[reversed_] = targets[reversed_, ::-1][..., self.partners]
        return codes, np.ascontiguousarray(targets, np.float32)


@dataclass(frozen=True)
class _Plan:
    organism: str
    rows: np.ndarray
    shifts: np.ndarray
    reversed: np.ndarray


class TrainingEpoch:
    """The batches of one epoch, read when they are asked for; of several devices each reads its own.

    An epoch is one pass over the organism with most batches; the others are gone through again until all have given as many.

    Parameters
    ----------
    data
        Organism to its sequences.
    batch_size
        Sequences of a batch.
    shift
        Largest shift.
    reverse_complement
        Whether half of the sequences are read from the other strand.
    seed, epoch
        What the order and the augmentation hang on, and nothing else.
    """

    def __init__(
        self,
        data: Mapping[str, OrganismData],
        batch_size: int,
        shift: int,
        reverse_complement: bool,
        seed: int,
        epoch: int,
    ) -> None:
        self._data = data
        steps = {organism: -(-len(found) // batch_size) for organism, found in data.items()}
        most = max(steps.values())
        plans: dict[str, list[_Plan]] = {}
        for organism, found in data.items():
            plans[organism] = []
            for turn in range(-(-most // steps[organism])):
                random = random_generator(seed, "order", organism, epoch, turn)
                order = found.rows[random.permutation(len(found))]
                moves = random.integers(-shift, shift + 1, len(found))
                turned = random.random(len(found)) < (0.5 if reverse_complement else 0.0)
                for start in range(0, len(order), batch_size):
                    part = slice(start, start + batch_size)
                    plans[organism].append(_Plan(organism, order[part], moves[part], turned[part]))
        self._plans = [plans[organism][step] for step in range(most) for organism in data]
        self._organisms = len(data)

    def __len__(self) -> int:
        return len(self._plans)

    def for_rank(self, rank: int, ranks: int) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
        """Batches of one of several processes: those of an organism are dealt in turn, an incomplete last round is left out.

        Parameters
        ----------
        rank
            Number of the process, from 0.
        ranks
            Number of processes.
        """
        per_organism = [self._plans[number :: self._organisms] for number in range(self._organisms)]
        rounds = len(per_organism[0]) // ranks
        own = [plans[turn * ranks + rank] for turn in range(rounds) for plans in per_organism]
        return self._read(own)

    def __iter__(self) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
        return self._read(self._plans)

    def _read(self, plans: Sequence[_Plan]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
        def load() -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
            for plan in plans:
                codes, targets = self._data[plan.organism].read(plan.rows, plan.shifts, plan.reversed)
                yield {plan.organism: (torch.from_numpy(codes), torch.from_numpy(targets))}

        return read_ahead(load())


def read_ahead(
    items: Iterator[dict[str, tuple[Tensor, Tensor]]],
) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Go through an iterator in a thread, a few items ahead; what fails there is raised here."""
    waiting: queue.Queue[tuple[str, object]] = queue.Queue(maxsize=_AHEAD)
    stop = threading.Event()

    def put(kind: str, item: object) -> bool:
        while not stop.is_set():
            try:
                waiting.put((kind, item), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
            put("end", None)
        except BaseException as error:  # handed to whoever waits
            put("error", error)

    thread = threading.Thread(target=work, daemon=True, name="training data")
    thread.start()
    try:
        while True:
            kind, item = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def one_hot_codes(codes: Tensor) -> Tensor:
    """Turn codes, uint8 [batch, length], into one-hot float32 [batch, length, 4] on their device; N is four zeros."""
    table = _ONE_HOT.to(codes.device)
    return table[codes.long()]


def track_means(data: OrganismData, most: int = 256) -> np.ndarray:
    """Mean of each track over at most ``most`` sequences, float64 [track]."""
    rows = data.rows[np.linspace(0, len(data.rows) - 1, min(most, len(data.rows))).astype(int)]
    total = np.zeros(len(data.partners))
    for row in rows:
        total += data.read(np.array([row]))[1][0].mean(axis=0)
    return total / len(rows)
