"""How white: max |W Sigma W' - I| over all chromosomes of a real .genes.raw file, ours and the published form."""

import numpy as np

from benchmarks.real_matrices import DATA
from cistron.formats import read_genes_raw
from cistron.statistics import BlockCovariance, PublishedProjection


def main() -> None:
    """Print the table."""
    print(
        "| file | genes | smallest eigenvalue | ridge added | ours | published |\n|---|---|---|---|---|---|"
    )
    for name in ("ieu-a-1041", "ieu-a-7"):
        correlations = read_genes_raw(DATA / f"gwas/magma_files_public/{name}.genes.raw.gz")
        blocks = list(correlations.dense_blocks().values())
        covariance = BlockCovariance.decompose(blocks)
        repair = covariance.repair(float(correlations.genes["ZSTAT"].var(ddof=0)))
        published = PublishedProjection.build(blocks, repair.ridge)
        ours = theirs = 0.0
        for number, (rows, block) in enumerate(blocks):
            identity = np.eye(len(rows))
            repaired = block + repair.ridge * identity
            W = (covariance.eigenvalues[number] + repair.ridge)[:, None] ** -0.5 * covariance.vectors[
                number
            ].T
            L = published.factors[number]
            ours = max(ours, float(np.abs(W @ repaired @ W.T - identity).max()))
            theirs = max(theirs, float(np.abs(L @ repaired @ L.T - identity).max()))
        print(
            f"| {name} | {len(correlations.genes):,} | {repair.smallest_eigenvalue:.3f} | {repair.ridge:.3f} | "
            f"{ours:.1e} | {theirs:.1f} |"
        )
