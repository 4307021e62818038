"""Fit VDTF to one or many matrices and read off the gene embedding."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd

from cistron.errors import InputError
from cistron.omics.scaling import EntryScale, draw_held_out
from cistron.omics.tensor_factorisation import TensorFactorisation, VdtfSettings
from cistron.omics.tiles import AssayEntries, held_out_batches, tiles_of_epoch
from cistron.runtime.progress import say
from cistron.runtime.seeds import seed_for
from cistron.training import FitReport, fit
from cistron.training.optimisers import RowAdam


@dataclass(frozen=True)
class Assay:
    """A matrix with its names.

    Attributes
    ----------
    name
        Name of the assay.
    values
        float32 [gene, sample], on a scale on which differences mean the same everywhere (logarithms); NaN is missing.
    genes
        Unique gene ids.
    """

    name: str
    values: np.ndarray
    genes: Sequence[str]


@dataclass(frozen=True)
class Factorised:
    """What a fit gives.

    Attributes
    ----------
    genes
        Genes with at least one observed entry.
    mean, deviation
        Posterior mean and standard deviation, float32 [gene, dimension].
    held_out_r2
        Share of the variance of held-out entries about the gene means that is explained, over all assays.
    held_out_r2_of
        The same for each assay.
    active
        Dimensions that the data determine: the variance of the means exceeds a tenth of the mean variance sigma^2.
    dropped
        Genes without an observed entry, which are left out.
    report
        What the fit did.
    model
        The fitted module.
    """

    genes: list[str]
    mean: np.ndarray
    deviation: np.ndarray
    held_out_r2: float
    held_out_r2_of: dict[str, float]
    active: int
    dropped: list[str]
    report: FitReport
    model: TensorFactorisation


def factorise(
    assays: Sequence[Assay],
    settings: VdtfSettings | None = None,
    *,
    directory: str | Path | None = None,
    seed: int = 0,
    description: str = "vdtf",
) -> Factorised:
    """Fit VDTF.

    Parameters
    ----------
    assays
        One or more matrices. Each is centred by gene and divided by its standard deviation, both computed
        without the held-out entries. A gene that an assay lacks is learned from the others.
    settings
        Settings of the model.
    directory
        Folder of the record and the checkpoint; a killed run is taken up from it.
    seed
        Seed of the run.
    description
        What the progress says.

    Returns
    -------
    Factorised
        The embedding and how well it explains held-out entries.

    Raises
    ------
    InputError
        If assays share no genes, a matrix does not vary, or the dimension exceeds the number of samples.
    """
    settings = settings or VdtfSettings()
    _check(assays, settings)
    entries, union, dropped = _entries(assays, settings, seed)
    if dropped:
        say(
            f"{description}: {len(dropped):,} genes have no observed entry and are left out, e.g. {dropped[0]}"
        )
    fitted = np.zeros((len(entries), len(union)), dtype=np.int64)
    for number, assay in enumerate(entries):
        fitted[number, assay.genes] = (np.isfinite(assay.values) & ~assay.held_out).sum(axis=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "vdtf start"))
        model = TensorFactorisation(
            len(union), [assay.values.shape[1] for assay in entries], torch.from_numpy(fitted), settings
        )
    if settings.start != "random":
        _start_at_components(model, entries, len(union), settings, seed)
    report = fit(
        model,
        lambda module, tile: module.loss(tile),
        lambda epoch: tiles_of_epoch(entries, settings.tile_entries, settings.tile_samples, seed, epoch),
        validation=held_out_batches(entries),
        validation_loss=lambda module, batch: module.held_out_loss(batch),
        settings=settings.fit,
        optimiser=lambda module: RowAdam(module.parameters(), lr=settings.fit.learning_rate),
        directory=directory,
        identity={**{k: v for k, v in asdict(settings).items() if k != "fit"}, "data": _hash_of(assays)},
        seed=seed,
        description=description,
    )
    return _read_off(model, assays, entries, union, dropped, report)


def _check(assays: Sequence[Assay], settings: VdtfSettings) -> None:
    if not assays:
        raise InputError("vdtf: no matrix was given; name at least one")
    for number, assay in enumerate(assays):
        if assay.values.shape[0] != len(assay.genes):
            raise InputError(
                f"{assay.name}: {assay.values.shape[0]:,} rows for {len(assay.genes):,} genes; expected genes x samples"
            )
        others = set().union(*(other.genes for place, other in enumerate(assays) if place != number))
        if len(assays) > 1 and not others & set(assay.genes):
            raise InputError(
                f"{assay.name} shares no gene with the other {len(assays) - 1} matrices (its ids look like "
                f"{assay.genes[0]}); one embedding needs shared genes: convert ids with 'cistron genes map'"
            )
    samples = sum(assay.values.shape[1] for assay in assays)
    if settings.gene_dimension > samples and not settings.beyond_samples:
        raise InputError(
            f"vdtf: gene_dimension must be at most the number of samples ({samples:,}). Given: "
            f"{settings.gene_dimension}; choose fewer, join matrices, or allow it with beyond_samples"
        )


def _entries(
    assays: Sequence[Assay], settings: VdtfSettings, seed: int
) -> tuple[list[AssayEntries], list[str], list[str]]:
    """Scale each matrix without its held-out entries; genes without any entry leave."""
    scaled = []
    for assay in assays:
        held_out = draw_held_out(assay.values, settings.held_out, settings.held_out_entries, seed, assay.name)
        try:
            scale = EntryScale.fit(assay.values, held_out)
        except InputError as error:
            raise InputError(f"{assay.name}: {error}") from error
        kept = np.flatnonzero(scale.entries > 0)
        values = scale.apply(assay.values)
        if len(kept) < len(values):
            values, held_out = values[kept], held_out[kept]
        scaled.append((values, held_out, [assay.genes[row] for row in kept]))
    union = list(dict.fromkeys(gene for _, _, genes in scaled for gene in genes))
    place = {gene: row for row, gene in enumerate(union)}
    everything = dict.fromkeys(gene for assay in assays for gene in assay.genes)
    dropped = [gene for gene in everything if gene not in place]
    entries = [
        AssayEntries(values, held_out, np.array([place[gene] for gene in genes], dtype=np.int64))
        for values, held_out, genes in scaled
    ]
    return entries, union, dropped


def _hash_of(assays: Sequence[Assay]) -> str:
    digest = hashlib.sha256()
    for assay in assays:
        digest.update("\n".join([assay.name, *assay.genes]).encode())
        for start in range(0, len(assay.values), 4096):
            digest.update(np.ascontiguousarray(assay.values[start : start + 4096]).tobytes())
    return digest.hexdigest()


def _start_at_components(
    model: TensorFactorisation,
    entries: Sequence[AssayEntries],
    genes: int,
    settings: VdtfSettings,
    seed: int,
) -> None:
    """Put genes and samples at the principal components of the entries to fit on, missing ones at the mean."""
    state = np.random.RandomState(seed_for(seed, "vdtf components") % 2**32)
    samples = [assay.values.shape[1] for assay in entries]
    if settings.start == "samples":
        for number, assay in enumerate(entries):
            matrix = _filled(assay)
            rank = min(settings.sample_dimension, *matrix.shape)
            _, _, right = randomized_svd(matrix, rank, n_iter=4, random_state=state)
            _place(model.sample[number], np.sqrt(samples[number]) * right.T)
        return
    joined = _filled(entries[0]) if len(entries) == 1 else np.zeros((genes, sum(samples)), dtype=np.float32)
    for number, assay in enumerate(entries if len(entries) > 1 else []):
        start = sum(samples[:number])
        joined[assay.genes, start : start + samples[number]] = _filled(assay)
    rank = min(settings.gene_dimension, *joined.shape)
    left, singular, right = randomized_svd(joined, rank, n_iter=4, random_state=state)
    # Genes of unit variance, as the prior wants them; samples carry the size of a component.
    _place(model.gene_mean, np.sqrt(len(left)) * left, rest=0.01)
    shared = min(rank, settings.sample_dimension)
    size = singular[:shared] / np.sqrt(len(left))
    for number in range(len(entries)):
        columns = slice(sum(samples[:number]), sum(samples[: number + 1]))
        _place(model.sample[number], np.sqrt(sum(samples)) * right[:shared, columns].T)
        interaction = model.decoder[number].interaction
        if interaction is not None:
            weight = torch.zeros_like(interaction.weight)  # (sample_dimension, gene_dimension)
            weight[range(shared), range(shared)] = torch.from_numpy(
                (size / np.sqrt(sum(samples))).astype(np.float32)
            )
            interaction.weight.data.copy_(weight)
            model.decoder[number].output.weight.data.mul_(0.1)


def _filled(assay: AssayEntries) -> np.ndarray:
    return np.where(np.isfinite(assay.values) & ~assay.held_out, assay.values, np.float32(0))


def _place(parameter: torch.Tensor, values: np.ndarray, rest: float = 0.1) -> None:
    """Fill the first columns of a parameter; the remaining ones keep their draw, made small."""
    with torch.no_grad():
        parameter.mul_(rest)
        parameter[:, : values.shape[1]] = torch.from_numpy(values.astype(np.float32))


def _read_off(
    model: TensorFactorisation,
    assays: Sequence[Assay],
    entries: Sequence[AssayEntries],
    union: list[str],
    dropped: list[str],
    report: FitReport,
) -> Factorised:
    sums = np.zeros((len(entries), 2))
    model.eval()
    with torch.no_grad():
        for batch in held_out_batches(list(entries)):
            error = model.predict(batch["assay"], batch["genes"], batch["samples"]) - batch["values"]
            sums[batch["assay"]] += float(error.square().sum()), float(batch["values"].square().sum())
    mean = model.gene_mean.detach().numpy().copy()
    deviation = model.gene_log_deviation.detach().exp().numpy()
    active = int((mean.var(axis=0) > 0.1 * np.square(deviation).mean(axis=0)).sum())
    with np.errstate(invalid="ignore"):
        explained = 1.0 - sums[:, 0] / sums[:, 1]
    return Factorised(
        union,
        mean,
        deviation,
        float(1.0 - sums[:, 0].sum() / max(sums[:, 1].sum(), 1e-300)),
        {assay.name: float(value) for assay, value in zip(assays, explained)},
        active,
        dropped,
        report,
        model,
    )
