"""DepMap's tables, cell lines x genes, as a matrix of genes x cell lines."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.omics.correction import subtract_olfactory_bias, whiten_samples
from cistron.omics.prepared import (
    PreparationSettings,
    Prepared,
    in_universe,
    listed_genes,
    merged_genes,
    refuse_unmeasurable,
)
from cistron.omics.set_aside import listed
from cistron.runtime.number_tables import NumberTable, read_number_table

_COLUMN = re.compile(r"(?P<symbol>.+?)\s*\((?P<entrez>\d+)\)")


def prepare_depmap(path: Path, settings: PreparationSettings) -> Prepared:
    """DepMap gene effects or expression (cell lines x ``SYMBOL (ENTREZ)``): olfactory bias, division by the global deviation.

    Wainberg et al. 2021. With ``whiten`` the cell lines are made uncorrelated instead of being scaled.
    """
    table = read_number_table(path, "DepMap file")
    steps = list(table.remarks)
    frame = _by_model(table, path, steps)
    named = [_COLUMN.fullmatch(str(column)) for column in frame.columns]
    if not any(named):
        raise InputError(
            f"DepMap file {path.name}: columns are named like {list(frame.columns[:2])}; expected 'SYMBOL (ENTREZ)' and cell "
            "lines in rows"
        )
    others = [str(column) for column, match in zip(frame.columns, named) if match is None]
    if others:
        steps.append(f"columns that are not named 'SYMBOL (ENTREZ)' left out: {listed(others)}")
    frame = frame.loc[:, [match is not None for match in named]]
    refuse_unmeasurable(frame, f"DepMap file {path.name}", -np.inf)
    found = merged_genes(
        [match[settings.identifier] for match in named if match], settings, f"DepMap file {path.name}", steps
    )
    genes, values = found.genes, found.apply(frame.to_numpy(np.float32).T)
    expression = not (values < 0).any()  # log2(TPM + 1); gene effects lie on both sides of 0
    kind = "expression, log2(TPM + 1)," if expression else "gene effects"
    steps += [f"DepMap {kind} of {frame.shape[1]:,} genes in {frame.shape[0]:,} cell lines"]
    missing = np.isnan(values)
    empty = missing.all(axis=1)
    if empty.any():
        absent = [gene for gene, no_value in zip(genes, empty) if no_value]
        steps.append(f"{len(absent):,} genes without any value left out: {listed(absent)}")
        genes, values, missing = (
            [g for g, no_value in zip(genes, empty) if not no_value],
            values[~empty],
            missing[~empty],
        )
    if missing.any():
        values = np.where(missing, np.nanmean(values, axis=1, keepdims=True), values)
        steps.append(f"{int(missing.sum()):,} missing entries filled with the gene's mean")
    samples = [str(name) for name in frame.index]
    intercept = np.ones(len(samples))
    if expression and settings.olfactory is not None:
        raise InputError(
            f"DepMap file {path.name} holds no value below 0, so it is expression: the olfactory correction is of gene effects; "
            "leave out --olfactory"
        )
    if settings.olfactory is not None:
        values = subtract_olfactory_bias(
            values, genes, listed_genes(settings.olfactory), settings.components, settings.drop_last
        )
        samples, intercept = samples[: values.shape[1]], intercept[: values.shape[1]]
        steps.append(
            f"PCA({settings.components}) of olfactory receptors subtracted, last {settings.drop_last} cell lines left out"
        )
    elif not expression:
        steps.append("olfactory bias not corrected: no list of olfactory genes was given (--olfactory)")
    kept = in_universe(genes, settings, steps)
    values, genes = values[kept], [gene for gene, keep in zip(genes, kept) if keep]
    if settings.whiten:
        whitened = whiten_samples(values)
        values, intercept = whitened.values, whitened.intercept
        steps.append("cell lines whitened over genes; var['intercept'] is the warped intercept")
    else:
        values = values / values.std()
        steps.append("divided by the global standard deviation")
    return Prepared(genes, samples, iter([values]), steps, {"intercept": intercept})


def _by_model(table: NumberTable, path: Path, steps: list[str]) -> pd.DataFrame:
    """Rows by cell line: since 25Q2 rows are numbered, several may be of a model, and columns name it and its default."""
    frame, text = table.values, table.text
    if "ModelID" not in text:
        return frame
    chosen = np.ones(len(frame), dtype=bool)
    if "IsDefaultEntryForModel" in text:
        chosen = text["IsDefaultEntryForModel"].str.strip().str.lower().isin(["yes", "true"]).to_numpy()
        if not chosen.any():
            raise InputError(
                f"DepMap file {path.name}: no row is the default entry of its model (IsDefaultEntryForModel)"
            )
        if not chosen.all():
            steps.append(
                f"{int((~chosen).sum()):,} rows that are not the default entry of their model left out"
            )
    frame = frame[chosen].set_axis(pd.Index(text["ModelID"][chosen]), axis=0)
    if not frame.index.is_unique:
        again = frame.index[frame.index.duplicated()][0]
        raise InputError(f"DepMap file {path.name}: model {again} occurs more than once; keep one row each")
    return frame
