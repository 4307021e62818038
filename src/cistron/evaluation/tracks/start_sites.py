"""CAGE at start sites: across genes for each track, and across tracks within genes (Avsec et al. 2021, fig. 1)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.tracks.scoring import INTERVAL, TASK, Predictor, TrackData, assay_of
from cistron.genes.chromosomes import normalise_chromosomes
from cistron.runtime import random_generator

ACROSS_GENES, ACROSS_TRACKS = "pearson_start_sites", "pearson_across_tracks"
NEIGHBOURS = 1  # bins on either side that are summed with that of the start site, as published
MOST_TRACKS = 3  # fewer give no correlation across tracks
_FEWEST_GENES = 3


@dataclass(frozen=True)
class SitePlaces:
    """Start sites that lie in scored sequences.

    Attributes
    ----------
    gene
        Identifiers.
    sequence
        Place of the sequence within the fold, int64 [gene].
    bin
        Bin of the start site, int64 [gene].
    reverse
        Whether the gene lies on the - strand, bool [gene].
    """

    gene: np.ndarray
    sequence: np.ndarray
    bin: np.ndarray
    reverse: np.ndarray

    def __len__(self) -> int:
        return len(self.gene)


def place_start_sites(sites: pd.DataFrame, sequences: pd.DataFrame, bin_size: int = 128) -> SitePlaces:
    """Find the start sites that lie in sequences, with a bin on either side.

    Parameters
    ----------
    sites
        One row a gene: ``gene``, ``chromosome``, ``position`` (0-based), ``strand``.
    sequences
        ``chromosome``, ``start``, ``end`` of what is predicted of each, in their order.
    bin_size
        Base pairs of a bin.

    Returns
    -------
    SitePlaces
        A gene that lies in several sequences is taken in the first.

    Raises
    ------
    InputError
        If fewer than three genes lie in them.
    """
    names = dict(
        tuple(sites.assign(chromosome=normalise_chromosomes(list(sites["chromosome"]))).groupby("chromosome"))
    )
    rows: list[tuple[str, int, int, bool]] = []
    taken: set[str] = set()
    chromosomes = normalise_chromosomes(list(sequences["chromosome"]))
    for place, (name, start, end) in enumerate(zip(chromosomes, sequences["start"], sequences["end"])):
        if name not in names:
            continue
        margin = NEIGHBOURS * bin_size
        here = names[name][names[name]["position"].between(start + margin, end - margin - 1)]
        for gene, position, strand in zip(here["gene"], here["position"], here["strand"]):
            if gene not in taken:
                taken.add(gene)
                rows.append((str(gene), place, (int(position) - int(start)) // bin_size, strand == "-"))
    if len(rows) < _FEWEST_GENES:
        raise InputError(
            f"start sites: {len(rows)} of {len(sites):,} genes lie in the {len(sequences):,} sequences that are scored; expected "
            f"{_FEWEST_GENES} or more: is the annotation of the same genome build?"
        )
    gene, sequence, number, reverse = zip(*rows)
    return SitePlaces(np.array(gene), np.array(sequence), np.array(number), np.array(reverse))


def expression_tracks(tracks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the CAGE tracks, one a sample: numbers for genes on the + and on the - strand, int64 [sample] each.

    Of a strand pair the track whose identifier or description ends in ``+`` serves genes on the + strand, its partner those on the other.

    Parameters
    ----------
    tracks
        ``description``, and where there are pairs ``identifier`` and ``strand_pair``.

    Raises
    ------
    InputError
        If there is no CAGE track.
    """
    cage = tracks["description"].map(assay_of).str.upper() == "CAGE"
    if not cage.any():
        raise InputError(
            "start sites: no track is described as CAGE, which is what is compared there; leave out --annotation"
        )
    partner = tracks["strand_pair"].to_numpy(np.int64) if "strand_pair" in tracks else np.arange(len(tracks))
    texts = [tracks[name].astype(str) for name in ("identifier", "description") if name in tracks]
    ends = {
        sign: np.logical_or.reduce([text.str.strip().str.endswith(sign) for text in texts]) for sign in "+-"
    }
    forward, backward = [], []
    for number in np.flatnonzero(cage.to_numpy()):
        other = partner[number]
        if other == number or (ends["+"][number] and not ends["+"][other]):
            forward.append(number)
            backward.append(other)
        elif not (ends["+"][other] or ends["-"][number]) and number < other:
            raise InputError(
                f"start sites: tracks {number} and {other} are a strand pair, and neither its identifiers nor its descriptions end in + and -, "
                "so that the strand is not known; name them, or leave out --annotation"
            )
    return np.array(forward, np.int64), np.array(backward, np.int64)


@dataclass
class SiteValues:
    """Values at start sites, gathered while predictions pass by.

    Attributes
    ----------
    places
        Start sites.
    forward, backward
        Of :func:`expression_tracks`.
    observed, predicted
        float64 [gene, sample]: log(1 + sum of three bins); predicted by name of the predictor.
    """

    places: SitePlaces
    forward: np.ndarray
    backward: np.ndarray
    observed: np.ndarray = field(init=False)
    predicted: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.observed = np.full((len(self.places), len(self.forward)), np.nan)

    def gathering(self, predictor: Predictor) -> Predictor:
        """Give the predictor again, whose blocks are looked at when they are asked for."""

        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            self.predicted[predictor.name] = np.full_like(self.observed, np.nan)
            for numbers, observed, predicted in predictor.blocks():
                self._take(predictor.name, numbers, observed, predicted)
                yield numbers, observed, predicted

        return Predictor(predictor.name, blocks)

    def _take(self, name: str, numbers: np.ndarray, observed: np.ndarray, predicted: np.ndarray) -> None:
        for row, number in enumerate(numbers):
            for gene in np.flatnonzero(self.places.sequence == number):
                tracks = self.backward if self.places.reverse[gene] else self.forward
                middle = self.places.bin[gene]
                bins = slice(middle - NEIGHBOURS, middle + NEIGHBOURS + 1)
                self.observed[gene] = np.log1p(observed[row, bins][:, tracks].sum(axis=0, dtype=np.float64))
                values = predicted[row, bins][:, tracks].sum(axis=0, dtype=np.float64)
                self.predicted[name][gene] = np.log1p(np.maximum(values, 0))


def across_genes(
    observed: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Pearson of each track over genes.

    Parameters
    ----------
    observed, predicted
        [gene, track].
    weights
        How often each gene counts, [gene]; once when absent.

    Returns
    -------
    ndarray
        float64 [track]; 0 where one side does not vary.
    """
    chosen = np.ones(len(observed)) if weights is None else weights
    x, y = (values - np.average(values, axis=0, weights=chosen) for values in (observed, predicted))
    return _cosine(
        (chosen[:, None] * x * y).sum(0), (chosen[:, None] * x * x).sum(0), (chosen[:, None] * y * y).sum(0)
    )


def across_tracks(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Pearson of each gene over tracks, each track standardised over genes first, so that its level says nothing.

    Parameters
    ----------
    observed, predicted
        [gene, track].

    Returns
    -------
    ndarray
        float64 [gene]; NaN where what was measured does not vary, 0 where only the prediction does not.
    """
    x, y = _standardised(observed), _standardised(predicted)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    found = _cosine((x * y).sum(1), (x * x).sum(1), (y * y).sum(1))
    return np.where((x * x).sum(1) > 1e-12, found, np.nan)


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    result: np.ndarray = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return result


def _cosine(product: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    scale = np.sqrt(first * second)
    result: np.ndarray = np.where(scale > 1e-12, product / np.maximum(scale, 1e-12), 0.0)
    return result


def score_start_sites(
    values: SiteValues, data: TrackData, *, draws: int = 1000, seed: int = 0, run_id: str = ""
) -> list[dict[str, Any]]:
    """Score what was gathered.

    Parameters
    ----------
    values
        Gathered values of all predictors.
    data
        What is scored.
    draws
        Bootstrap samples over sequences, with all their genes.
    seed
        Seed.
    run_id
        Of the run.

    Returns
    -------
    list of dict
        Rows of the scores table: ``pearson_start_sites``, the mean over samples of the correlation over genes, and, of three samples or more,
        ``pearson_across_tracks``, the mean over genes of the correlation over samples.
    """
    draw = random_generator(seed, "start sites", data.name).multinomial(
        data.sequences, np.full(data.sequences, 1 / data.sequences), size=draws
    )[:, values.places.sequence]  # [draw, gene]
    samples = values.observed.shape[1]
    rows = []
    for name, predicted in values.predicted.items():
        found = {
            ACROSS_GENES: (
                float(across_genes(values.observed, predicted).mean()),
                [across_genes(values.observed, predicted, one).mean() for one in draw if one.sum() > 1],
                len(values.places),
                f"mean of {samples:,} CAGE samples at start sites",
            )
        }
        if samples >= MOST_TRACKS:
            by_gene = across_tracks(values.observed, predicted)
            kept = ~np.isnan(by_gene)
            if kept.any():
                drawn = [np.average(by_gene[kept], weights=one[kept]) for one in draw if one[kept].sum()]
                target = f"mean of {int(kept.sum()):,} genes across {samples:,} CAGE samples"
                found[ACROSS_TRACKS] = (float(by_gene[kept].mean()), drawn, int(kept.sum()), target)
        for metric, (value, drawn, count, target) in found.items():
            low, high = np.quantile(drawn, (0.025, 0.975)) if drawn else (value, value)
            rows.append(
                {
                    "task": TASK,
                    "dataset": data.name,
                    "model": "sequence",
                    "stratum": f"fold {data.fold}",
                    "seed": seed,
                    "run_id": run_id,
                    "target": target,
                    "embedding": name,
                    "metric": metric,
                    "value": value,
                    "low": float(min(low, value)),
                    "high": float(max(high, value)),
                    "interval": INTERVAL,
                    "n": count,
                }
            )
    return rows


def site_table(values: SiteValues, name: str) -> pd.DataFrame:
    """Measured and predicted values of one predictor: ``gene``, ``observed``, ``predicted`` (means over samples of log(1 + sum of three bins))."""
    return pd.DataFrame(
        {
            "gene": values.places.gene,
            "observed": values.observed.mean(axis=1),
            "predicted": values.predicted[name].mean(axis=1),
        }
    )
