"""A fitted chromatin model of any method: what it knows, and how it predicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cistron.chromatin.linear_path import LinearFit, bin_means, promoter_means
from cistron.errors import InputError
from cistron.formats.gene_tracks import GeneTracks
from cistron.training import in_batches

# parts of a SignalSummary that a model keeps
SUMMARY = ("quantiles", "profile_mean", "profile_precision")


def _kind(transform: str) -> str:
    """Kind of the values: ``log1p`` or ``signal``."""
    return "signal" if transform == "none" else "log1p"


@dataclass(frozen=True)
class ChromatinModel:
    """A fitted model, as ``chromatin train`` writes it.

    Attributes
    ----------
    method
        Name of the method, of :data:`cistron.chromatin.methods.METHODS`.
    settings
        Settings of the method.
    facts
        Marks, bins, scales, parts of the split, seed and whatever else JSON can hold.
    networks
        Members of the ensemble, in evaluation mode.
    linear
        Weights of the ridge method.
    gene_means
        Mean expression by gene of the gene-mean method.
    summary
        Quantiles of each mark, mean and precision of profiles in the training part (see ``SignalSummary``).
    trees
        Trees of the boosting method, in LightGBM's text form.
    """

    method: str
    settings: Any
    facts: dict[str, Any]
    networks: tuple[Any, ...] = ()
    linear: LinearFit | None = None
    gene_means: Mapping[str, float] = field(default_factory=dict)
    summary: Mapping[str, np.ndarray] = field(default_factory=dict)
    trees: str = ""

    @property
    def marks(self) -> list[str]:
        """Names of the marks, in the order of the model's input."""
        return list(self.facts["marks"])

    @property
    def distal(self) -> np.ndarray:
        """Which marks are tracks over distal elements, bool [mark]."""
        return np.isin(self.marks, list(self.facts.get("distal_marks", ())))

    def require_networks(self, what: str) -> tuple[Any, ...]:
        """Give the networks, or say that the method has none."""
        if not self.networks:
            raise InputError(f"{what} needs a network; this model is of method {self.method}")
        return self.networks

    def mark_order(self, store: GeneTracks) -> np.ndarray:
        """Number of each of the model's marks in a store, -1 where the store lacks it (it is masked then).

        Raises
        ------
        InputError
            If the store has none of the marks, or other windows or another transform of the signal.
        """
        if (store.bins, store.tracks.bin_size) != (self.facts["bins"], self.facts["bin_size"]):
            raise InputError(
                f"{store.path.name} has {store.bins} bins of {store.tracks.bin_size} bp, the model was fitted on {self.facts['bins']} of "
                f"{self.facts['bin_size']} bp; build the data with the same window"
            )
        scaled = int(self.facts.get("gene_body_bins", 0))
        if store.gene_body_bins != scaled:
            raise InputError(
                f"{store.path.name} has gene bodies scaled to {store.gene_body_bins} bins, the model was fitted on {scaled}; build the data "
                "with the same --gene-body-bins"
            )
        transform = store.parameters.get("transform")
        if _kind(str(transform)) != _kind(self.facts["transform"]):
            raise InputError(
                f"{store.path.name} was built with --transform {transform}, the model was fitted on {self.facts['transform']}; "
                "build the data the same way"
            )
        known = {mark: number for number, mark in enumerate(store.marks)}
        order = np.array([known.get(mark, -1) for mark in self.marks])
        if (order < 0).all():
            raise InputError(
                f"{store.path.name} has none of the model's marks ({', '.join(self.marks)}); it has {', '.join(store.marks)}"
            )
        return order

    @property
    def logarithmic(self) -> bool:
        """Whether the values of the marks are log(1 + signal)."""
        return _kind(self.facts["transform"]) == "log1p"

    def predict_each(self, values: np.ndarray, measured: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Predict with each member.

        Parameters
        ----------
        values
            float32 [gene, cell type, mark, bin], marks in the model's order.
        measured
            bool [gene, cell type, mark], or [cell type, mark] for all genes alike.
        batch_size
            Genes at a time.

        Returns
        -------
        ndarray
            float32 [member, gene, cell type]; NaN for cell types without a mark.
        """
        measured = np.broadcast_to(measured, values.shape[:3]).copy()  # torch wants memory of its own
        absent = ~measured.any(axis=2)
        if self.networks:
            each = [in_batches(network, values, measured, batch_size=batch_size) for network in self.networks]
            result = np.stack(each).astype(np.float32)
        elif self.linear is not None:
            settings = self.settings
            promoter = not settings.bins
            width = settings.promoter // self.facts["bin_size"]
            features = promoter_means(values, width) if promoter else bin_means(values, settings.bins)
            known = measured if promoter else np.repeat(measured, settings.bins, axis=2)
            result = self.linear.predict(features, known)[None].astype(np.float32)
        elif self.trees:
            from cistron.chromatin.boosting import predict_boosting

            result = predict_boosting(self.trees, values, measured, self.settings)[None]
        else:
            raise InputError(f"a model of method {self.method} does not predict from marks")
        result[:, absent] = np.nan
        return result
