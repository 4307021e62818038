"""What the histone marks of each gene do: effects of a sliding peak, and designed marks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.formats.designed_epigenome import read_designed_epigenome
from cistron.formats.epigenesis import read_epigenesis
from cistron.study.gene_files import epigenesis_store

EDITS = 12  # listed of a gene and file


def read_epigenesis_of_genes(path: Path, genes: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Change of predicted expression by mark and place, for each gene of a map.

    Parameters
    ----------
    path
        Folder of ``cistron chromatin epigenesis``, or its map.
    genes
        Genes of the study.
    names
        Names in lower case (ids, symbols, aliases) to ids.

    Returns
    -------
    DataFrame
        ``gene, file, mark, start, end`` (base pairs from the start site in the direction of transcription), ``effect`` (mean over the cell types
        that have the peak), ``peak_in, scale``. A map of an empty background is of no gene and gives no row.
    """
    found = read_epigenesis(epigenesis_store(path))
    peak = str(found.facts.get("peak_in", "all"))
    read = [found.cell_types.index(peak)] if peak in found.cell_types else list(range(len(found.cell_types)))
    with np.errstate(invalid="ignore"):
        effect = np.nanmean(found.effect[..., read], axis=-1)  # [gene, mark, place]
    starts = np.asarray(found.starts)
    parts = []
    for number, name in enumerate(found.genes):
        gene = names.get(str(name).strip().lower())
        if gene is None:
            continue
        parts.append(
            pd.DataFrame(
                {
                    "gene": gene,
                    "file": path.name,
                    "mark": np.repeat([str(one) for one in found.marks], len(starts)),
                    "start": np.tile(starts, len(found.marks)),
                    "end": np.tile(starts + found.width, len(found.marks)),
                    "effect": effect[number].ravel().astype(np.float32),
                    "peak_in": "all cell types" if peak == "all" else peak,
                    "scale": str(found.facts.get("scale", "")),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["gene"])


def read_designs(path: Path, genes: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """What designs of each gene wanted and reached, and their largest edits.

    Parameters
    ----------
    path
        Store of ``cistron chromatin design``.
    genes, names
        As of :func:`read_epigenesis_of_genes`.

    Returns
    -------
    DataFrame
        Rows of two kinds: ``outcome`` (``cell_type, role, before, wanted, after`` in predicted expression, ``judged`` by networks that were
        kept out) and ``edit`` (``cell_type, mark, start, end`` from the start site, ``before, after`` in mean log signal).
    """
    design = read_designed_epigenome(path)
    own = {name: names.get(str(name).strip().lower()) for name in design.outcome["gene"].unique()}
    outcome = design.outcome.rename(columns={"start": "before", "achieved": "after"}).assign(kind="outcome")
    edits = design.edits.iloc[np.argsort(-design.edits["change"].abs().to_numpy(), kind="stable")]
    edits = edits.groupby("gene", sort=False).head(EDITS).assign(kind="edit")
    frame = pd.concat([outcome, edits], ignore_index=True)
    frame["gene"] = frame["gene"].map(own)
    frame = frame[frame["gene"].notna()].assign(file=path.name)
    columns = (
        "gene", "file", "kind", "cell_type", "role", "mark", "start", "end", "before", "wanted", "after", "judged",
    )  # fmt: skip
    return frame.reindex(columns=list(columns)).reset_index(drop=True)
