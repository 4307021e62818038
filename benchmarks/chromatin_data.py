"""Real marks and expression in the forms that ``chromatin build`` takes: DeepDiffChrome's and Chromoformer's examples."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.chromatin import BuildSettings, build_gene_tracks
from cistron.formats.gene_tracks import GeneTracks

DATA = Path(os.environ.get("CISTRON_TEST_DATA", "../shared/data")) / "chromatin"


def deepdiff(merge_validation: bool = False) -> GeneTracks:
    """600 genes x 2 cell types x 5 marks x 200 bins of read counts (hg19), log1p of both marks and expression counts.

    Parameters
    ----------
    merge_validation
        Put the validation part into the training part: for the last fit, when nothing is left to choose.
    """
    with np.load(DATA / "DeepDiffChrome_roadmap/two_cell_600gene_5mark_200bin.npz") as file:
        parts = dict(file)
    split = np.char.replace(parts["split"], "valid", "validation")
    if merge_validation:
        split = np.char.replace(split, "validation", "train")
    cells, genes = parts["cells"].astype(str), parts["gene"].astype(str)
    values = parts["X"].astype(np.float32)
    expression = pd.DataFrame(parts["Y_counts"], index=genes, columns=cells)
    return _built(
        "DeepDiffChrome", values, genes, cells, parts["marks"], expression, "counts", split, strand=None
    )


def chromoformer() -> GeneTracks:
    """100 genes x 1 cell type x 7 marks x 400 bins of mean depth in H1 (hg19), in genome orientation; log1p RPKM."""
    folder = DATA / "chromoformer_demo_E003"
    with np.load(folder / "promoter_40kb_7mark_100bp.npz") as file:
        values, marks = file["X"].astype(np.float32), file["marks"].astype(str)
    table = pd.read_csv(folder / "demo_meta.csv")
    expression = pd.DataFrame({"E003": table["expression"].to_numpy()}, index=table["gene_id"])
    split = np.array(["train"] * len(table))
    return _built(
        "Chromoformer",
        values[:, None],
        table["gene_id"].to_numpy(str),
        np.array(["E003"]),
        marks,
        expression,
        "rpkm",
        split,
        strand=table["strand"].to_numpy(str),
        chromosome=table["chrom"].to_numpy(str),
        position=table["start"].to_numpy(),
    )


def _built(
    name: str,
    values: np.ndarray,
    genes: np.ndarray,
    cells: np.ndarray,
    marks: np.ndarray,
    expression: pd.DataFrame,
    scale: str,
    split: np.ndarray,
    strand: np.ndarray | None,
    chromosome: np.ndarray | str = "unknown",
    position: np.ndarray | int = 1_000_000,
) -> GeneTracks:
    folder = Path(tempfile.mkdtemp())
    np.savez(folder / "marks.npz", values=values, genes=genes, cell_types=cells, marks=np.asarray(marks, str))
    expression.to_csv(folder / "expression.tsv", sep="\t")
    pd.DataFrame({"gene": genes, "split": split}).to_csv(folder / "split.tsv", sep="\t", index=False)
    sites = pd.DataFrame({"gene": genes, "chromosome": chromosome, "position": position})
    sites["strand"] = "+" if strand is None else strand
    sites.to_csv(folder / "sites.tsv", sep="\t", index=False)
    return build_gene_tracks(
        folder / f"{name}.zarr",
        binned=folder / "marks.npz",
        annotation=folder / "sites.tsv",
        expression=folder / "expression.tsv",
        split=folder / "split.tsv",
        settings=BuildSettings(
            transform="log1p-mean",
            orientation="transcription" if strand is None else "genome",
            expression_scale=scale,  # type: ignore[arg-type]
            genome_build="GRCh37",
        ),
    )


def main() -> None:
    """Print shapes and what the transforms give."""
    for store in (deepdiff(), chromoformer()):
        print(
            f"{store.path.stem}: {store.tracks.values.shape}, marks {', '.join(store.marks)}, {store.scale}"
        )
