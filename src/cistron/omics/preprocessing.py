"""Transform a matrix before it is embedded: logarithm, missing values, centring, scaling. Each step says what it did."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cistron.errors import InputError
from cistron.formats.expression_columns import level_and_breadth
from cistron.omics.inputs import OmicsMatrix
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.runtime.shards import run_each

LOG_ABOVE = 50.0
_FEW = 0.01  # share of negative values that are mistakes among counts or TPM, and no signed measure


@dataclass
class PreparedMatrix:
    """A matrix with its transform, still read in blocks.

    Attributes
    ----------
    matrix
        The matrix as given.
    kept
        Genes that are embedded, bool [gene].
    logarithm
        Whether log2(x + 1) is taken.
    sample_mean, sample_scale
        What each sample is centred and divided by, float64 [sample].
    settings
        Settings in force.
    remarks
        What was done, one sentence each.
    level_and_breadth
        Mean of each gene that is kept, and share of samples in which it is expressed, before anything is centred,
        float64 [gene, 2].
    """

    matrix: OmicsMatrix
    kept: np.ndarray
    logarithm: bool
    sample_mean: np.ndarray
    sample_scale: np.ndarray
    settings: PreprocessingSettings
    remarks: list[str]
    level_and_breadth: np.ndarray

    @property
    def genes(self) -> list[str]:
        """Identifiers of the genes that are embedded."""
        return [gene for gene, keep in zip(self.matrix.genes, self.kept) if keep]

    def blocks(self, **part: int) -> Iterator[np.ndarray]:
        """Yield transformed blocks of the genes that are kept, float32 [gene, sample], of a part of the genes or all."""
        for window, block in self.matrix.blocks(**part):
            values = _by_gene(_logged(block[self.kept[window]], self.logarithm), self.settings)
            values -= self.sample_mean.astype(np.float32)
            values /= self.sample_scale.astype(np.float32)
            yield values


def _logged(block: np.ndarray, logarithm: bool) -> np.ndarray:
    """A copy, log2(x + 1) taken where it is to be taken."""
    logged: np.ndarray = np.log2(block + 1.0) if logarithm else block.copy()
    return logged


def _by_gene(values: np.ndarray, settings: PreprocessingSettings) -> np.ndarray:
    """Filling, centring and scaling of genes, which need nothing but the gene's own row."""
    missing = np.isnan(values)
    if missing.any():
        means = np.nanmean(values, axis=1, keepdims=True)
        values = np.where(missing, means, values)
    if settings.centre_genes:
        values -= values.mean(axis=1, keepdims=True)
    if settings.scale_genes:
        deviation = values.std(axis=1, keepdims=True)
        values /= np.where(deviation > 0, deviation, 1.0)
    return values


def prepare_matrix(matrix: OmicsMatrix, settings: PreprocessingSettings | None = None) -> PreparedMatrix:
    """Read a matrix once to decide whether to take the logarithm and to find the mean and deviation of each sample.

    Parameters
    ----------
    matrix
        The matrix; it is read twice, in blocks.
    settings
        What to do.

    Returns
    -------
    PreparedMatrix
        The matrix with its transform.

    Raises
    ------
    InputError
        If values are infinite, no gene is measured often enough, or every sample is constant.
    """
    settings = settings or PreprocessingSettings()
    low, high, kept, remarks = _survey(matrix, settings)
    _refuse_few_negatives(matrix, settings, high)
    logarithm = settings.log == "yes" or (settings.log == "auto" and low >= 0 and high > LOG_ABOVE)
    if settings.log == "yes" and low < 0:
        raise InputError(
            f"matrix {matrix.name} has negative values (least {low:g}): no logarithm can be taken; use --log no"
        )
    wanted = "asked for" if settings.log != "auto" else "auto"
    remarks.append(
        f"log2(x + 1) {'taken' if logarithm else 'not taken'} ({wanted}; values from {low:g} to {high:g})"
    )
    count, total, square = int(kept.sum()), np.zeros(len(matrix.samples)), np.zeros(len(matrix.samples))
    threshold = 1.0 if low >= 0 else 0.0  # 1 TPM where log2(x + 1) is taken; signed measures lie around 0
    trivial = []
    shared = {
        "matrix": matrix,
        "kept": kept,
        "logarithm": logarithm,
        "threshold": threshold,
        "settings": settings,
    }
    for part, sums, squares in run_each(_sums, matrix.shards(), shared):
        trivial.append(part)
        total += sums
        square += squares
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, 0.0))
    if not (deviation > 1e-7).any():
        raise InputError(f"matrix {matrix.name}: no sample varies between genes, there is nothing to embed")
    constant = deviation <= 1e-7
    if constant.any():
        remarks.append(
            f"{int(constant.sum()):,} constant samples carry nothing, for example {matrix.samples[int(np.argmax(constant))]}"
        )
    remarks.append(
        f"genes {'centred' if settings.centre_genes else 'not centred'} and {'scaled' if settings.scale_genes else 'not scaled'}, "
        f"samples {'centred' if settings.centre_samples else 'not centred'} and {'scaled' if settings.scale_samples else 'not scaled'}"
    )
    scale = np.where(constant | (not settings.scale_samples), 1.0, deviation)
    centre = mean if settings.centre_samples else np.zeros_like(mean)
    remarks = matrix.remarks + remarks
    return PreparedMatrix(matrix, kept, logarithm, centre, scale, settings, remarks, np.vstack(trivial))


def _sums(
    matrix: OmicsMatrix,
    kept: np.ndarray,
    logarithm: bool,
    threshold: float,
    settings: PreprocessingSettings,
    first: int,
    last: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level and breadth of a part of the genes [gene, 2], and their sums and sums of squares in each sample, float64."""
    total, square, trivial = np.zeros(len(matrix.samples)), np.zeros(len(matrix.samples)), []
    for window, block in matrix.blocks(first=first, last=last):
        logged = _logged(block[kept[window]], logarithm)
        trivial.append(level_and_breadth(logged, threshold))
        values = _by_gene(logged, settings).astype(np.float64)
        total += values.sum(axis=0)
        square += (values**2).sum(axis=0)
    return np.vstack(trivial), total, square


def _refuse_few_negatives(matrix: OmicsMatrix, settings: PreprocessingSettings, high: float) -> None:
    """Raise where auto would leave out the logarithm because of a few negative values among counts or TPM."""
    if settings.log != "auto" or high <= LOG_ABOVE:
        return
    negative, measured, example = 0, 0, ""
    for window, block in matrix.blocks():
        below = block < 0
        negative += int(below.sum())
        measured += int((~np.isnan(block)).sum())
        if not example and below.any():
            row, column = map(int, np.argwhere(below)[0])
            example = f"{matrix.samples[column]} of gene {matrix.genes[window.start + row]} is {block[row, column]:g}"
    if 0 < negative <= _FEW * measured:
        raise InputError(
            f"matrix {matrix.name}: {negative:,} of {measured:,} values are negative, but the others look like counts or TPM (up to "
            f"{high:g}): {example}; correct them, or say --log no if the values are signed"
        )


def _surveyed(
    matrix: OmicsMatrix, minimum_measured: float, first: int, last: int
) -> tuple[np.ndarray, int, np.ndarray, float, float]:
    """Of a part of the genes: which are measured often enough, missing values, samples with a value, least and largest value."""
    low, high, missing, kept = np.inf, -np.inf, 0, []
    seen = np.zeros(len(matrix.samples), dtype=bool)
    for window, block in matrix.blocks(first=first, last=last):
        if np.isinf(block).any():
            row = int(np.argmax(np.isinf(block).any(axis=1)))
            raise InputError(
                f"matrix {matrix.name}: gene {matrix.genes[window.start + row]} has infinite values"
            )
        measured = ~np.isnan(block)
        missing += int((~measured).sum())
        seen |= measured.any(axis=0)
        kept.append(measured.mean(axis=1) >= minimum_measured)
        if measured.any():
            low, high = min(low, float(np.nanmin(block))), max(high, float(np.nanmax(block)))
    return np.concatenate(kept), missing, seen, low, high


def _survey(
    matrix: OmicsMatrix, settings: PreprocessingSettings
) -> tuple[float, float, np.ndarray, list[str]]:
    low, high = np.inf, -np.inf
    kept = np.zeros(len(matrix.genes), dtype=bool)
    missing = 0
    seen = np.zeros(len(matrix.samples), dtype=bool)
    shared = {"matrix": matrix, "minimum_measured": settings.minimum_measured}
    for part, (often, absent, here, least, most) in zip(
        matrix.shards(), run_each(_surveyed, matrix.shards(), shared)
    ):
        kept[part["first"] : part["last"]] = often
        missing += absent
        seen |= here
        low, high = min(low, least), max(high, most)
    if seen.any() and not seen.all():
        raise InputError(
            f"matrix {matrix.name}: {int((~seen).sum()):,} samples hold no value at all, for example "
            f"{matrix.samples[int(np.argmin(seen))]}; remove them"
        )
    if kept.sum() < 2:
        raise InputError(
            f"matrix {matrix.name}: {int(kept.sum())} genes are measured in at least {settings.minimum_measured:.0%} of "
            f"{len(matrix.samples):,} samples; at least 2 are needed"
        )
    remarks = []
    if missing:
        remarks.append(
            f"{missing:,} missing values: {int((~kept).sum()):,} genes measured in fewer than {settings.minimum_measured:.0%} of the "
            "samples left out, the rest filled with the gene's mean"
        )
    return low, high, kept, remarks
