"""Toy predictions with known answers, as files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cistron.formats.prediction import prediction, write_prediction

NAN = np.nan


class Toy:
    """Cells whose expression is gene level + depth + state x gene factor + noise."""

    def __init__(
        self, folder: Path, types: int = 8, per_type: int = 10, genes: int = 360, seed: int = 0
    ) -> None:
        self.folder = folder
        generator = np.random.default_rng(seed)
        states = generator.normal(size=(types, 4)).repeat(per_type, axis=0)
        self.level = generator.normal(2, 1, size=genes)
        self.specific = 0.5 * states @ generator.normal(size=(genes, 4)).T
        depth = generator.normal(0, 0.3, size=(types * per_type, 1))
        self.observed = self.level + depth + self.specific + generator.normal(0, 1, size=self.specific.shape)
        self.noise = generator.normal(size=self.specific.shape)
        part = np.array(["train"] * (types - 3) + ["test"] * 3).repeat(per_type)
        self.cells = pd.DataFrame(
            {"split": part, "cell_type": [f"type {n // per_type}" for n in range(types * per_type)]},
            index=[f"c{n}" for n in range(types * per_type)],
        )
        of_gene = np.where(np.arange(genes) % 3 == 0, "test", "train")
        self.genes = pd.DataFrame({"split": of_gene}, index=[f"ENSG{n:011d}" for n in range(genes)])

    def write(
        self,
        name: str,
        predicted: np.ndarray,
        *,
        observed: np.ndarray | None = None,
        cells: pd.DataFrame | None = None,
        genes: pd.DataFrame | None = None,
        **facts: object,
    ) -> Path:
        """Write one prediction file."""
        known = {
            "name": name, "method": "ridge", "unit": "cell", "scale": "log1p_cp10k", "dataset": "toy", "evidence": "dna",
        }  # fmt: skip
        made = prediction(
            predicted,
            self.observed if observed is None else observed,
            self.cells if cells is None else cells,
            self.genes if genes is None else genes,
            **{**known, **facts},
        )
        path = self.folder / f"{name.replace(' ', '_')}.h5ad"
        write_prediction(path, made)
        return path

    def good(self) -> Path:
        """A prediction that knows what is specific."""
        return self.write("good", self.level + self.specific + 0.5 * self.noise, embedding="e")

    def level_only(self) -> Path:
        """The same gene levels in every cell, seen genes only."""
        predicted = np.broadcast_to(self.level, self.observed.shape).copy()
        predicted[:, self.genes["split"] != "train"] = NAN
        return self.write("gene-mean", predicted, method="gene-mean", evidence="")

    def control(self) -> Path:
        """The method of :meth:`good` on permuted genes."""
        order = np.random.default_rng(5).permutation(len(self.genes))
        return self.write(
            "good permuted",
            (self.level + self.specific)[:, order],
            embedding="e",
            control="permuted embedding",
        )


@pytest.fixture
def toy(tmp_path) -> Toy:
    return Toy(tmp_path)


@pytest.fixture
def toys() -> Callable[..., Toy]:
    return Toy
