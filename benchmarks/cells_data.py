"""Real data of the cells benchmarks: SCP1884, HPA through the omics wing, k-mers of promoters, where genes lie."""

import gzip
import itertools
import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.cells.inputs import Cells, read_cells
from cistron.cells.inputs_gene_places import read_gene_table
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.omics import OmicsEmbedder, PcaSettings, read_matrix

DATA = Path(os.environ.get("CISTRON_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()
TEST, VALIDATION = ("1", "8", "9", "21"), ("2", "10", "17")
CONSENSUS = DATA / "omics/hpa_consensus/hpa_consensus_tissue_plus_celllines_nx.parquet"
FPKM = DATA / "omics/hpa_fpkm/hpa_rnatable_fpkm_20344x76.parquet"


def tissues(path: Path, name: str, dimensions: int) -> anndata.AnnData:
    """HPA's tissues and cell lines by `cistron omics embed`: log2, principal components."""
    embedder = OmicsEmbedder(PcaSettings(dimensions=dimensions))
    return embedder.embed(read_matrix(path), name=name, licence="CC-BY-SA-4.0")


def promoter_kmers(lengths: tuple[int, ...] = (2, 3, 4)) -> anndata.AnnData:
    """Counts of k-mers in the 60 bp around the transcription start sites of EPD, mean over the promoters of a gene."""
    folder = DATA / "cells/promoter_dna_epd"
    with gzip.open(folder / "promoter_ensmbl.txt.gz", "rt") as handle:
        gene_of = dict(line.split()[:2] for line in handle if len(line.split()) >= 2)
    sequences: dict[str, list[str]] = {}
    with gzip.open(folder / "promoter_sequence.txt.gz", "rt") as handle:
        for line in handle:
            name, *rest = line.split()
            if name in gene_of and rest:
                sequences.setdefault(gene_of[name], []).append(rest[0].upper())
    words = ["".join(letters) for length in lengths for letters in itertools.product("ACGT", repeat=length)]
    place = {word: number for number, word in enumerate(words)}
    counts = np.zeros((len(sequences), len(words)), dtype=np.float32)
    for row, promoters in enumerate(sequences.values()):
        for sequence in promoters:
            for length in lengths:
                for start in range(len(sequence) - length + 1):
                    number = place.get(sequence[start : start + length])
                    if number is not None:
                        counts[row, number] += 1 / len(promoters)
    return build_gene_embedding(
        counts,
        list(sequences),
        name="promoter k-mers",
        method="k-mers",
        evidence="dna",
        genome_build="GRCh38",
        dimension_names=words,
    )


def gut(*embeddings: anndata.AnnData) -> tuple[Cells, pd.DataFrame]:
    """SCP1884 on the genes that all embeddings cover and whose place is known, and the table of places."""
    places = read_gene_table(DATA / "genes/gencode_and_tss/xpresso_hg38_promoters_cage_corrected.bed.gz")
    cells = read_cells(
        DATA / "cells/single_cell_human/bmfm_scp1884_1020x18708.h5ad",
        gene_map=DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz",
        namespace="ensembl",
        allow_loss=True,
        name="SCP1884",
    )
    covered = set(places.index).intersection(*(embedding.obs_names for embedding in embeddings))
    return cells.only([gene for gene in cells.genes if gene in covered]), places
