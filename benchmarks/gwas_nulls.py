"""What embeddings gain over both null models, with and without the MHC (real data: CISTRON_TEST_DATA), by ridge.

30 traits, no projection, no MAC. The other (blood) traits are those on which source and dimensions were not chosen.
"""

import tempfile

import anndata
import numpy as np
import pandas as pd

from benchmarks.real_matrices import FILES, TRAITS, real_matrix
from cistron.evaluation.gwas import GwasSettings, evaluate_gwas, read_traits, trait_halves
from cistron.omics import OmicsEmbedder, OmicsMatrix, PcaSettings, PreprocessingSettings, join_matrices
from cistron.runtime import set_progress

SHARE = 0.15  # of the samples, in which a gene of the joined matrix must be measured


def embeddings() -> list[anndata.AnnData]:
    """HPA consensus, and all sources joined at 64 and 128 dimensions (as chosen in ``gwas_choice``)."""
    matrices = {name: real_matrix(name) for name in FILES}
    found = [
        OmicsEmbedder(PcaSettings(dimensions=130)).embed(matrices["hpa_consensus"], name="HPA consensus")
    ]
    joined = join_matrices(list(matrices.values()), minimum_share=SHARE)
    table = OmicsMatrix.from_frame(joined.to_df(), "joined")
    plain = PreprocessingSettings(log="no", scale_samples=False, centre_samples=False, minimum_measured=SHARE)
    for dimensions in (64, 128):
        embedder = OmicsEmbedder(PcaSettings(dimensions=dimensions), plain)
        found.append(embedder.embed(table, name=f"joined {dimensions}"))
    return found


def main() -> None:
    """Print the table."""
    set_progress(False)
    traits = read_traits(TRAITS)
    other = trait_halves(traits.z_frame())[1]
    found = embeddings()
    names = [str(one.uns["cistron"]["name"]) for one in found] + ["positions alone"]
    print(
        f"| traits | MHC | null model | null R2 | {' | '.join(names)} |\n|---|---|---|---|{'---|' * len(names)}"
    )
    for keep in (True, False):
        settings = GwasSettings(controls=0, draws=20, keep_mhc=keep)
        with tempfile.TemporaryDirectory() as folder:
            scores = evaluate_gwas(found, traits, settings, directory=folder).scores
        scores = scores[(scores["stratum"] == "all genes") & ~scores["target"].str.startswith("median of")]
        for which, chosen in (("30", traits.traits), ("other", other)):
            rows = scores[scores["target"].isin(chosen)]
            for null, metric, r2 in (
                ("published", "delta_r2_published", "r2_published"),
                ("positional", "delta_r2", "r2"),
            ):
                gains = rows[rows["metric"] == metric].groupby("embedding")["value"].median()
                # The last embedding covers nearly every gene, so its null model is the one on all genes.
                r2s = rows[(rows["metric"] == r2) & (rows["embedding"] == names[-2])]["null_value"].median()
                cells = [_cell(gains.get(name, np.nan)) for name in names]
                print(
                    f"| {which} | {'kept' if keep else 'left out'} | {null} | {r2s:.4f} | {' | '.join(cells)} |",
                    flush=True,
                )


def _cell(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+.4f}"
