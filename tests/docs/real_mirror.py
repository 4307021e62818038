"""A mirror for ``cistron data fetch`` made from the real data of the tests, in the layout ``DATA_SET/FILE``.

Files that the tests have in another form are written as their publishers give them. The Human Protein Atlas is of version 20 here (consensus NX).
"""

import gzip
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd


def write_mirror(data: Path, mirror: Path) -> None:
    """Write every file that the tutorials on real data fetch."""
    _tissues(data, mirror / "hpa_rna_v23")
    _identifiers(data, mirror / "hgnc_complete_set")
    _epigenomes(data, mirror / "deepdiff_sample")
    for source, name in (
        ("genes/gencode_and_tss/xpresso_hg38_promoters_cage_corrected.bed.gz",
         "cage_tss_windows/hg38_promoters_cage_corrected.bed"),
        ("networks/tapseq_schraivogel_k562/gene_expression_counts.csv.gz", "tapseq_k562/gene_expression_counts.csv"),
    ):  # fmt: skip
        _folder(mirror / name)
        with gzip.open(data / source) as packed, (mirror / name).open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    for source, name in (
        ("networks/tapseq_schraivogel_k562/gRNA_counts.h5ad", "tapseq_k562/gRNA_counts.h5ad"),
        ("cells/single_cell_human/bmfm_scp1884_1020x18708.h5ad", "gut_scp1884_sample/scp1884.h5ad"),
        ("sequence/kircherlab_satMutMPRA/elements.tsv.gz", "saturation_mpra/elements.tsv.gz"),
    ):
        shutil.copy(data / source, _folder(mirror / name))
    for path in (data / "omics/gene_sets").glob("macarthur_*.tsv"):
        shutil.copy(path, _folder(mirror / "macarthur_gene_lists" / path.name.removeprefix("macarthur_")))


def _folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _tissues(data: Path, folder: Path) -> None:
    wide = pd.read_parquet(data / "omics/hpa_consensus/hpa_consensus_tissue_nx.parquet")
    long = wide.rename_axis("Gene").reset_index().melt("Gene", var_name="Tissue", value_name="nTPM").dropna()
    long.insert(1, "Gene name", long["Gene"])
    with zipfile.ZipFile(
        _folder(folder / "rna_tissue_consensus.tsv.zip"), "w", zipfile.ZIP_DEFLATED
    ) as packed:
        packed.writestr("rna_tissue_consensus.tsv", long.to_csv(sep="\t", index=False))


def _identifiers(data: Path, folder: Path) -> None:
    genes = pd.read_csv(data / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz", header=None, usecols=[0, 1])
    genes = genes.drop_duplicates(1)
    table = pd.DataFrame(
        {"hgnc_id": [f"HGNC:{number}" for number in range(len(genes))], "symbol": genes[1].to_numpy()}
    )
    for column in ("name", "alias_symbol", "prev_symbol", "entrez_id"):
        table[column] = ""
    table["ensembl_gene_id"] = genes[0].to_numpy()
    table.to_csv(_folder(folder / "hgnc_complete_set.txt"), sep="\t", index=False)


def _epigenomes(data: Path, folder: Path) -> None:
    with np.load(data / "chromatin/DeepDiffChrome_roadmap/two_cell_600gene_5mark_200bin.npz") as file:
        parts = dict(file)
    bins = parts["X"].shape[3]
    for number, cell in enumerate(("Cell1", "Cell2")):
        for part in ("train", "valid", "test"):
            chosen = np.flatnonzero(parts["split"] == part)
            names = [f"{gene}_{place + 1}" for gene in parts["gene"][chosen] for place in range(bins)]
            counts = parts["X"][chosen, number].transpose(0, 2, 1).reshape(len(names), -1)
            table = pd.DataFrame(counts, index=names)
            table.to_csv(_folder(folder / f"{cell}.{part}.csv"), header=False)
        counts = pd.Series(parts["Y_counts"][:, number], index=parts["gene"])
        rest = pd.Series(1, index=[f"other{place:07d}" for place in range(19_000)])  # further genes, as there
        pd.concat([counts, rest]).to_csv(folder / f"{cell}.expr.csv", header=False)
