"""Choose source, dimensions and regressor on half of the traits and odd chromosomes; report on the rest.

What this program chooses (source, dimensions), it chooses without the second half of the traits and without even
chromosomes. Defaults that it takes as given were found earlier with less care; docs/guide/gwas_findings.md says which.
``CISTRON_GWAS_NULL=published`` measures over the published null model with the MHC kept. Real data (CISTRON_TEST_DATA): 30 traits, matrices of HPA, Uhlen, Body Map, Castle, Brawand, two
proteomes and Tabula Sapiens. ``CISTRON_GWAS_MODEL=boosted`` scores the choice with boosted trees.
"""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from benchmarks.real_matrices import FILES, TRAITS, real_matrix
from cistron.evaluation.gwas import (
    GwasSettings,
    TraitCollection,
    TraitDesign,
    evaluate_gwas,
    read_traits,
    trait_halves,
)
from cistron.formats import write_gene_embedding
from cistron.omics import OmicsEmbedder, OmicsMatrix, PcaSettings, PreprocessingSettings, join_matrices
from cistron.runtime import set_progress

JOINED = {
    "HPA": ("hpa_fpkm", "hpa_consensus"),
    "RNA": ("hpa_fpkm", "hpa_consensus", "uhlen", "body_map", "castle", "brawand"),
    "RNA + proteomes": (
        "hpa_fpkm", "hpa_consensus", "uhlen", "body_map", "castle", "brawand", "proteome_kuster", "proteome_pandey",
    ),
    "all": tuple(FILES),
}  # fmt: skip


def restricted(traits: TraitCollection, names: list[str], odd: bool) -> TraitCollection:
    """Some traits, on odd chromosomes only."""
    designs = []
    for design in traits.designs:
        columns = [index for index, trait in enumerate(design.traits) if trait in names]
        rows = np.array([int(name) % 2 == 1 for name in design.genes["CHR"]]) | (not odd)
        if columns:
            genes = design.genes[rows].reset_index(drop=True)
            designs.append(
                TraitDesign(tuple(design.traits[c] for c in columns), genes, design.z[rows][:, columns])
            )
    return TraitCollection(traits.name, tuple(designs))


def median_gain(embedding: anndata.AnnData, traits: TraitCollection, settings: GwasSettings) -> pd.DataFrame:
    """Scores of one embedding."""
    with tempfile.TemporaryDirectory() as folder:
        return evaluate_gwas(
            [embedding], traits, settings, directory=folder, workers=_workers(settings)
        ).scores


def _workers(settings: GwasSettings) -> int:
    return 2 if settings.model in ("boosted", "xgboost") else 1


def _median(
    scores: pd.DataFrame,
    names: list[str],
    stratum: str = "all genes",
    column: str = "value",
    metric: str = "delta_r2",
) -> float:
    rows = scores[
        (scores["metric"] == metric) & (scores["stratum"] == stratum) & scores["target"].isin(names)
    ]
    return float(rows[column].median())


def candidates() -> dict[str, anndata.AnnData]:
    """Embeddings to choose from: every matrix alone, and joined ones at several dimensions."""
    found = {}
    matrices = {name: real_matrix(name) for name in FILES}
    for name, matrix in matrices.items():
        most = min(len(matrix.samples), 256)
        found[f"{name}, {most}"] = OmicsEmbedder(PcaSettings(dimensions=most)).embed(matrix, name=name)
    # A gene that one large assay measures is kept: to lose a gene costs more than to fill its missing samples.
    share = 0.15
    plain = PreprocessingSettings(log="no", scale_samples=False, centre_samples=False, minimum_measured=share)
    for name, members in JOINED.items():
        joined = join_matrices([matrices[member] for member in members], minimum_share=share)
        table = OmicsMatrix.from_frame(joined.to_df(), name)
        for dimensions in (64, 128, 256):
            if dimensions <= joined.n_vars:
                embedder = OmicsEmbedder(PcaSettings(dimensions=dimensions), plain)
                found[f"{name}, {dimensions}"] = embedder.embed(table, name=f"{name}, {dimensions}")
    return found


def main() -> None:
    """Print the choice and what it is worth."""
    set_progress(False)
    traits = read_traits(TRAITS)
    first, second = trait_halves(traits.z_frame())
    choice = restricted(traits, first, odd=True)
    quick = replace(_settings(), controls=0, draws=20)
    found = candidates()
    print(f"choosing on {len(first)} traits and odd chromosomes: {', '.join(first)}")
    print("| embedding | genes | median delta R2, ridge |")
    chosen: dict[str, float] = {}
    for name, embedding in found.items():
        chosen[name] = _median(median_gain(embedding, choice, quick), first)
        print(f"| {name} | {embedding.n_obs:,} | {chosen[name]:.4f} |", flush=True)
    best = max(chosen, key=lambda name: chosen[name])
    group = [name for name in found if name.rsplit(", ", 1)[0] == best.rsplit(", ", 1)[0]]
    print(f"chosen for ridge: {best}")
    folder = Path(os.environ.get("CISTRON_BENCHMARK_FOLDER", "build/benchmarks"))
    picks = {"ridge": best, "linear": best}
    if "boosted" in _models():
        gains = {}
        for name in group:
            gains[name] = _median(median_gain(found[name], choice, replace(quick, model="boosted")), first)
            print(f"| {name}, boosted | {found[name].n_obs:,} | {gains[name]:.4f} |", flush=True)
        picks["boosted"] = max(gains, key=lambda name: gains[name])
        print(f"chosen for boosted: {picks['boosted']}")
    write_gene_embedding(found[group[-1]], folder / "gwas_choice.h5ad")
    _report(found, picks, traits, first, second)


def _settings() -> GwasSettings:
    null = os.environ.get("CISTRON_GWAS_NULL", "positional")
    if null == "published":
        return GwasSettings(null="published", keep_mhc=True)
    return GwasSettings()


def _models() -> list[str]:
    return os.environ.get("CISTRON_GWAS_MODEL", "ridge linear boosted").split()


def _report(
    found: dict[str, anndata.AnnData],
    picks: dict[str, str],
    traits: TraitCollection,
    first: list[str],
    second: list[str],
) -> None:
    print(
        "| regressor, embedding | null R2 | first half of the traits | second half | all 30 | odd | even chromosomes "
        "| permuted | shifted | seconds |"
    )
    everything = first + second
    for model in _models():
        started = time.perf_counter()
        scores = median_gain(found[picks[model]], traits, replace(_settings(), model=model))
        seconds = time.perf_counter() - started
        cells = [_median(scores, everything, column="null_value", metric="r2")]
        cells += [_median(scores, first), _median(scores, second), _median(scores, everything)]
        cells += [_median(scores, everything, stratum) for stratum in ("odd chromosomes", "even chromosomes")]
        cells += [_median(scores, everything, metric=f"delta_r2_{kind}") for kind in ("permuted", "shifted")]
        print(
            f"| {model}, {picks[model]} | {' | '.join(f'{cell:+.4f}' for cell in cells)} | {seconds:.0f} |",
            flush=True,
        )
        rows = scores[(scores["metric"] == "delta_r2") & (scores["stratum"] == "all genes")]
        for row in rows[rows["target"].str.startswith("median of")].itertuples():
            print(f"  {model}: {row.target}: {row.value:+.4f} [{row.low:+.4f}, {row.high:+.4f}]", flush=True)
        each = rows.set_index("target")["value"].reindex(everything).sort_values(ascending=False)
        print(f"  {model}: " + ", ".join(f"{trait} {value:.3f}" for trait, value in each.items()), flush=True)
