"""Fit VDTF to one or several matrices and compute the gene embedding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd

from cistron.errors import InputError
from cistron.genes.identity import join_advice
from cistron.omics.axes import principal_axes
from cistron.omics.preprocessing import PreparedMatrix
from cistron.omics.scaling import scaled_entries
from cistron.omics.settings import VdtfSettings, fit_identity
from cistron.omics.tensor_factorisation import TensorFactorisation
from cistron.omics.tiles import AssayEntries, held_out_batches, tiles_of_epoch
from cistron.runtime.progress import say
from cistron.runtime.seeds import random_generator, seed_for
from cistron.training import FitReport, fit
from cistron.training.optimisers import RowAdam


@dataclass(frozen=True)
class Factorised:
    """Result of a fit of VDTF.

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
    test_r2
        R2 of the entries that nothing saw; NaN where ``settings.tested`` is 0.
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
    test_r2: float = float("nan")


def factorise(
    matrices: Sequence[PreparedMatrix],
    settings: VdtfSettings | None = None,
    *,
    directory: str | Path | None = None,
    seed: int = 0,
    description: str = "vdtf",
) -> Factorised:
    """Fit VDTF.

    Parameters
    ----------
    matrices
        One or more prepared matrices. Their scales are computed again without the held-out entries, and
        missing entries are not filled. A gene that a matrix lacks is learned from the others.
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
        If matrices share no genes or a name, one does not vary, or the dimension exceeds the number of samples.
    """
    settings = settings or VdtfSettings()
    _check(matrices, settings)
    scaled = [
        scaled_entries(matrix, settings.held_out, settings.held_out_entries, seed, settings.tested)
        for matrix in matrices
    ]
    union = list(dict.fromkeys(gene for part in scaled for gene in part.genes))
    place = {gene: row for row, gene in enumerate(union)}
    dropped = [
        gene for gene in dict.fromkeys(g for part in scaled for g in part.dropped) if gene not in place
    ]
    if dropped:
        say(
            f"{description}: {len(dropped):,} genes have no observed entry and are left out, e.g. {dropped[0]}"
        )
    entries, fitted = [], np.zeros((len(scaled), len(union)), dtype=np.int64)
    for number, part in enumerate(scaled):
        rows = np.array([place[gene] for gene in part.genes], dtype=np.int64)
        entries.append(AssayEntries(part.values, part.held_out, rows, part.gene_mean))
        fitted[number, rows] = part.entries
    model = _start(entries, fitted, settings, seed)
    data = [part.fingerprint() for part in scaled]
    report = fit(
        model,
        lambda _, tile: model.loss(tile),
        lambda epoch: tiles_of_epoch(
            entries, settings.tile_entries, settings.tile_samples, seed, epoch, settings.epoch_entries
        ),
        validation=held_out_batches(entries),
        validation_loss=lambda _, batch: model.held_out_loss(batch),
        settings=settings.fit,
        optimiser=lambda module: _optimiser(module, settings),
        directory=directory,
        identity={**fit_identity(settings), "data": data},
        seed=seed,
        description=description,
    )
    result = _read_off(model, [part.name for part in scaled], entries, union, dropped, report)
    if settings.tested:
        tests = [
            AssayEntries(*part.with_test_entries(), entry.genes, part.gene_mean)
            for part, entry in zip(scaled, entries)
        ]
        sums = _squares(model, tests).sum(axis=0)
        result = replace(result, test_r2=float(1.0 - sums[0] / max(sums[1], 1e-300)))
    return _in_principal_axes(result, seed) if settings.axes else result


def _start(
    entries: Sequence[AssayEntries], fitted: np.ndarray, settings: VdtfSettings, seed: int
) -> TensorFactorisation:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "vdtf start"))
        model = TensorFactorisation(
            fitted.shape[1],
            [assay.values.shape[1] for assay in entries],
            torch.from_numpy(fitted),
            settings,
        )
    if settings.start == "samples":
        _start_samples(model, entries, settings, seed)
    if settings.start == "pca":
        _start_at_components(model, entries, settings, seed)
    return model


def _optimiser(model: torch.nn.Module, settings: VdtfSettings) -> RowAdam:
    """Adam with a larger step for gene embeddings, each of which few of the tiles of an epoch touch."""
    tables = {id(p) for name, p in model.named_parameters() if name.startswith(("gene_", "assay_log"))}
    rate = settings.fit.learning_rate
    return RowAdam(
        [
            {"params": [p for p in model.parameters() if id(p) not in tables], "lr": rate},
            {
                "params": [p for p in model.parameters() if id(p) in tables],
                "lr": rate * settings.gene_rate,
            },
        ]
    )


def _check(matrices: Sequence[PreparedMatrix], settings: VdtfSettings) -> None:
    if not matrices:
        raise InputError("vdtf: no matrix was given; name at least one")
    if settings.fit.devices * settings.fit.nodes > 1:
        raise InputError(
            "vdtf is fitted on one device, because its steps touch few rows of large tables and torch cannot exchange such gradients; "
            f"leave out fit.devices and fit.nodes. Given: {settings.fit.devices} x {settings.fit.nodes}"
        )
    names = [matrix.matrix.name for matrix in matrices]
    if len(set(names)) < len(names):
        raise InputError(f"vdtf: two matrices are named {max(names, key=names.count)}; rename a file")
    genes = [set(matrix.genes) for matrix in matrices]
    for number, (name, own) in enumerate(zip(names, genes)):
        others = set().union(*(genes[:number] + genes[number + 1 :]))
        if len(matrices) > 1 and not others & own:
            advice = join_advice(sorted(own), sorted(others), f"matrix {name}", "the others")
            raise InputError(
                f"matrix {name} shares no gene with the other {len(matrices) - 1} matrices; one embedding needs shared "
                f"genes: {advice}"
            )
    samples = sum(len(matrix.matrix.samples) for matrix in matrices)
    if settings.gene_dimension > samples and not settings.beyond_samples:
        raise InputError(
            f"vdtf: {settings.gene_dimension} dimensions were asked for, but the matrices have {samples:,} samples; "
            "choose fewer, join more matrices, or allow it with --beyond-samples"
        )


def _start_samples(
    model: TensorFactorisation, entries: Sequence[AssayEntries], settings: VdtfSettings, seed: int
) -> None:
    """Put samples at the principal components of their own matrix (lqad095)."""
    for number, assay in enumerate(entries):
        samples = assay.values.shape[1]
        rank = min(settings.dimensions_of_samples, *assay.values.shape)
        _, _, right = randomized_svd(_filled(assay, slice(None)), rank, n_iter=4, random_state=_state(seed))
        _place(model.sample[number], np.sqrt(samples) * right.T, rest=0.1)


def _start_at_components(
    model: TensorFactorisation, entries: Sequence[AssayEntries], settings: VdtfSettings, seed: int
) -> None:
    """Put genes, samples and C at the principal components of all matrices side by side.

    Missing entries, and genes that a matrix lacks, count as the gene's mean over its other entries.
    """
    genes, widths = len(model.gene_mean), [assay.values.shape[1] for assay in entries]
    joined = np.zeros((genes, sum(widths)), dtype=np.float32)
    seen = np.zeros((genes, len(entries)))
    level = np.zeros((genes, len(entries)))
    for number, assay in enumerate(entries):
        start = sum(widths[:number])
        # by blocks of genes, so that no second copy of a large matrix is made
        for low in range(0, len(assay.genes), 1024):
            rows = slice(low, low + 1024)
            joined[assay.genes[rows], start : start + widths[number]] = _filled(assay, rows)
        seen[assay.genes, number], level[assay.genes, number] = 1, assay.gene_mean
    if len(entries) > 1:
        mean = (level.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)).astype(np.float32)
        for number, width in enumerate(widths):
            absent = np.flatnonzero(seen[:, number] == 0)
            start = sum(widths[:number])
            joined[absent, start : start + width] = mean[absent, None]
    rank = min(settings.gene_dimension, *joined.shape)
    left, singular, right = randomized_svd(joined, rank, n_iter=4, random_state=_state(seed))
    # Genes of unit variance, as the prior wants them; C carries the size of a component.
    _place(model.gene_mean, np.sqrt(genes) * left, rest=0.01)
    shared = min(rank, settings.dimensions_of_samples)
    size = torch.from_numpy((singular[:shared] / np.sqrt(genes * sum(widths))).astype(np.float32))
    for number, decoder in enumerate(model.decoders()):
        columns = slice(sum(widths[:number]), sum(widths[: number + 1]))
        _place(model.sample[number], np.sqrt(sum(widths)) * right[:shared, columns].T, rest=0.1)
        if decoder.interaction is not None:
            weight = torch.zeros_like(decoder.interaction.weight)  # (sample_dimension, gene_dimension)
            weight[range(shared), range(shared)] = size
            decoder.interaction.weight.data.copy_(weight)
            decoder.output.weight.data.mul_(0.1)


def _state(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed_for(seed, "vdtf components") % 2**32)


def _filled(assay: AssayEntries, rows: slice) -> np.ndarray:
    """Values with the gene's mean where an entry is missing or held out."""
    used = np.isfinite(assay.values[rows]) & ~assay.held_out[rows]
    return np.where(used, assay.values[rows], assay.gene_mean[rows, None])


def _place(parameter: torch.Tensor, values: np.ndarray, rest: float) -> None:
    """Fill the first columns of a parameter; the remaining ones keep their draw, made small."""
    with torch.no_grad():
        parameter.mul_(rest)
        parameter[:, : values.shape[1]] = torch.from_numpy(values.astype(np.float32))


def _read_off(
    model: TensorFactorisation,
    names: Sequence[str],
    entries: list[AssayEntries],
    union: list[str],
    dropped: list[str],
    report: FitReport,
) -> Factorised:
    sums = _squares(model, entries)
    mean = model.gene_mean.detach().numpy().copy()
    deviation = model.gene_log_deviation.detach().exp().numpy()
    active = int((mean.var(axis=0) > 0.1 * np.square(deviation).mean(axis=0)).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = 1.0 - sums[:, 0] / sums[:, 1]
    return Factorised(
        union,
        mean,
        deviation,
        float(1.0 - sums[:, 0].sum() / max(sums[:, 1].sum(), 1e-300)),
        {name: float(value) for name, value in zip(names, explained)},
        active,
        dropped,
        report,
        model,
    )


def _squares(model: TensorFactorisation, entries: list[AssayEntries]) -> np.ndarray:
    """Squared error of the held-out entries, and their squares about the gene means, by assay, float64 [assay, 2]."""
    sums = np.zeros((len(entries), 2))
    model.eval()
    with torch.no_grad():
        for batch in held_out_batches(entries):
            found = model.held_out_loss(batch)
            sums[batch["assay"]] += np.array([found["loss"], found["variance"]]) * float(found["count"])
    return sums


def _in_principal_axes(result: Factorised, seed: int, genes: int = 2000, samples: int = 256) -> Factorised:
    """Turn the embedding into the axes of what the model reconstructs, seen on some genes and samples."""
    generator = random_generator(seed, "vdtf axes")
    rows = np.sort(generator.permutation(len(result.genes))[:genes])
    chosen = torch.from_numpy(rows)
    explained = []
    with torch.no_grad():
        for number, decoder in enumerate(result.model.decoders()):
            b = result.model.sample[number]
            b = b[torch.from_numpy(generator.permutation(len(b))[:samples])]
            parts = [decoder.tile(result.model.gene_mean[part], b).numpy() for part in chosen.split(256)]
            explained.append(np.concatenate(parts))
    axes = principal_axes(result.mean, rows, explained)
    return replace(result, mean=axes.apply(result.mean), deviation=axes.deviation(result.deviation))
