"""Rows of the league besides plain principal components: the best combination that was found, and trivial columns.

What the combination is made of was chosen on one half of the 56 published GO terms (``league_choice``); none of it is an
annotation, a text or a model of protein sequences. Real data: CISTRON_TEST_DATA.
"""

from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.real_matrices import DATA, FILES, real_matrix
from benchmarks.study_real import FOLDER, SYMBOLS
from cistron.evaluation.rivals import read_rivals
from cistron.formats import build_gene_embedding
from cistron.genes.gene_map import read_gene_map
from cistron.genes.places import read_gene_places
from cistron.omics import join_matrices

EQUAL = "joined, matrices weighing the same"
BEST = "the same + co-essential modules + blood cells"
COMPONENTS, FLATTENING = 400, 0.35


def components(values: np.ndarray, size: int, flattening: float = 0.0) -> np.ndarray:
    """Principal components; ``flattening`` 0 leaves their standard deviations, 1 makes all of them equal."""
    left, singular, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return left[:, :size] * singular[:size] ** (1.0 - flattening)


def joined_frame(equal: bool) -> pd.DataFrame:
    """All public matrices side by side; values that are missing stand at 0, the mean of their sample.

    With ``equal`` a matrix of 130 samples has no more variance than one of 8.
    """
    data = join_matrices([real_matrix(name) for name in FILES], minimum_share=0.15)
    frame = pd.DataFrame(np.asarray(data.X, dtype=float), data.obs_names, data.var_names).fillna(0.0)
    number = data.var["matrix"].map(data.var["matrix"].value_counts()).to_numpy(float)
    return frame / np.sqrt(number) if equal else frame


def symbols_to_ensembl() -> dict[str, str]:
    """Ensembl id of each symbol."""
    return dict(read_gene_map(SYMBOLS).lookup("symbol", "ensembl"))


def modules() -> pd.DataFrame:
    """Co-essential modules (Wainberg et al. 2021) as 200 components; their GO columns are not read.

    The table lists modules whether or not a GO term is enriched in them (543 of 1,892 have none).
    """
    known = symbols_to_ensembl()
    lines = (DATA / "omics/coessentiality/clusterOne_clusters.tsv").read_text().splitlines()[1:]
    pairs = {
        (known[gene.strip()], number)
        for number, line in enumerate(lines)
        for gene in line.split("\t")[11:]
        if gene.strip() in known
    }
    frame = pd.DataFrame(sorted(pairs), columns=["gene", "module"])
    rows, genes = pd.factorize(frame["gene"])
    table = sparse.csr_matrix((np.ones(len(frame)), (rows, frame["module"]))).toarray()
    table = table[:, table.sum(axis=0) > 1]
    return pd.DataFrame(components(table / np.sqrt(table.sum(axis=0)), 200), genes)


def cells(name: str) -> pd.DataFrame:
    """Profiles of genes across single cells, each gene standardised, as 50 components."""
    data = anndata.read_h5ad(DATA / f"cells/single_cell_human/{name}.h5ad")
    counts = np.asarray(data.X.todense() if sparse.issparse(data.X) else data.X, dtype=float)
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4).T
    known = symbols_to_ensembl()
    frame = pd.DataFrame(values, [known.get(str(gene), "") for gene in data.var_names])
    frame = frame[(frame.index != "") & ~frame.index.duplicated()]
    centred = frame.sub(frame.mean(axis=1), axis=0).div(frame.std(axis=1) + 0.1, axis=0)
    return pd.DataFrame(components(centred.to_numpy(), 50), frame.index)


def beside(parts: Sequence[tuple[pd.DataFrame, float]]) -> pd.DataFrame:
    """Tables side by side on the genes of the first, each with a given mean square; a gene that one lacks stands at its mean."""
    genes = parts[0][0].index
    made = []
    for frame, weight in parts:
        values = frame.reindex(genes).to_numpy(float)
        values = np.nan_to_num(values - np.nanmean(values, axis=0))
        made.append(values * np.sqrt(weight / (values**2).sum(axis=1).mean()))
    return pd.DataFrame(np.hstack(made), genes)


def as_embedding(frame: pd.DataFrame, name: str, evidence: str) -> anndata.AnnData:
    """A table of numbers as an embedding."""
    return build_gene_embedding(
        frame.to_numpy(np.float32),
        list(frame.index),
        name=name,
        method="league",
        evidence=evidence,
        identifier_namespace="ensembl",
    )


def best_rows() -> dict[str, anndata.AnnData]:
    """The two rows that were chosen."""
    joined = joined_frame(equal=True)
    values = pd.DataFrame(components(joined.to_numpy(), COMPONENTS, FLATTENING), joined.index)
    both = beside([(values, 1.0), (modules(), 0.05), (cells("bmfm_cellxgene_220x18357"), 0.05)])
    return {
        EQUAL: as_embedding(values, EQUAL, "expression"),
        BEST: as_embedding(both, BEST, "expression+perturbation"),
    }


def trivial_rows(left_out: set[str]) -> dict[str, anndata.AnnData]:
    """Columns that know no function: length and density, level of expression, how often a gene is annotated, all of them.

    Parameters
    ----------
    left_out
        Terms that do not count as annotations, because they are what is asked.
    """
    places = read_rivals(read_gene_places(FOLDER / "genes.tsv", "annotation")).table
    joined = joined_frame(equal=False)
    level = pd.DataFrame({"level": joined.mean(axis=1), "breadth": joined.std(axis=1)})
    entrez = read_gene_map(DATA / "genes/gencode_and_tss/genes_homo_sapiens.csv.gz").joined_with(
        read_gene_map(DATA / "gwas/magma_files_public/hgnc2entrez_orthogene.tsv")
    )
    to_ensembl = entrez.lookup("entrez", "ensembl")
    counts: dict[str, int] = {}
    for line in (DATA / "omics/gene_sets/hsa_EXP_ALL_BP_direct.gmt").read_text().splitlines():
        term, _, *members = line.split("\t")
        for gene in members if term not in left_out else ():
            if gene in to_ensembl:
                counts[to_ensembl[gene]] = counts.get(to_ensembl[gene], 0) + 1
    annotated = np.log1p(pd.Series(counts).reindex(joined.index).fillna(0.0)).to_frame("annotations")
    length = places[[column for column in places if "length" in column]]
    density = places[[column for column in places if "density" in column]]
    found = {
        "gene length": (length, "unknown"),
        "gene density": (density, "unknown"),
        "level and breadth of expression": (level, "expression"),
        "number of annotations": (annotated, "literature"),
        "all trivial columns": (length.join(density).join(level).join(annotated), "unknown"),
    }
    made = {}
    for name, (frame, evidence) in found.items():
        frame = frame.reindex(joined.index)
        frame = (frame - frame.mean()) / frame.std()
        made[name] = as_embedding(frame.fillna(0.0) + 1e-6, name, evidence)
    return made
