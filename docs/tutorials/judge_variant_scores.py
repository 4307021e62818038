"""Scores of variants against a reporter assay, fine-mapped eQTL and a GWAS; anybody's scores, all of it planted (seconds)."""

from pathlib import Path

import numpy as np
import pandas as pd

from cistron.evaluation.sldp import SldpSettings, run_sldp
from cistron.evaluation.variants import EqtlSettings, MpraSettings, run_eqtl, run_mpra
from cistron.report import build_report
from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_eqtl, planted_traits
from cistron.world.reporter_assay import planted_assay

folder = Path("judged")
folder.mkdir(exist_ok=True)
random = np.random.default_rng(0)

# 1. A reporter assay, and scores of its variants from "a model": four tracks that know the rule, with noise, and four that know nothing.
measured, effects = planted_assay(seed=1, elements=3)
measured.to_parquet(folder / "assay.parquet", index=False)
scores = measured[["chrom", "pos_grch38_1based", "ref", "alt"]].copy()
for track in range(4):
    scores[f"known{track}"] = effects[:, track] + 0.2 * random.standard_normal(len(scores))
    scores[f"noise{track}"] = random.standard_normal(len(scores))
scores.to_parquet(folder / "model.parquet", index=False)
assay = run_mpra(
    [folder / "model.parquet"], folder / "assay.parquet", folder / "mpra", MpraSettings(penalties=4, draws=20)
)
mean = assay[assay["target"].str.startswith("mean of") & (assay["stratum"] == "tested rows")]
print(mean[["embedding", "model", "value", "low", "high", "control_value"]].to_string(index=False))

# 2. A cohort of independent linkage blocks: expression is tested and fine-mapped, and scores know what causal variants do.
cohort = mosaic_cohort(MosaicSettings(blocks=110, variants=20, people=400), seed=1)
planted_eqtl(cohort, seed=1, tissues=1).to_csv(folder / "eqtl.tsv.gz", sep="\t", index=False)
variants = cohort.variants
table = variants[["chromosome", "position", "ref", "alt"]].copy()
table["known"] = variants["score"] + 0.2 * random.standard_normal(len(variants))
table["noise"] = random.standard_normal(len(variants))
table.to_parquet(folder / "cohort_model.parquet", index=False)
eqtl = run_eqtl(
    [folder / "cohort_model.parquet"],
    folder / "eqtl.tsv.gz",
    folder / "eqtl",
    EqtlSettings(trees=8, folds=3, repeats=1),
    draws=20,
)
areas = eqtl[eqtl["target"].str.startswith("mean of") & (eqtl["metric"] == "auroc")]
print(
    areas[["embedding", "model", "stratum", "value", "low", "high", "control_value"]].to_string(index=False)
)

# 3. A trait whose effects follow the score: the genotypes give the linkage.
names = {name: variants[name].to_numpy(str) for name in ("chromosome", "ref", "alt", "id")}
places = {name: variants[name].to_numpy() for name in ("position", "block")}
np.savez(folder / "panel.npz", genotypes=cohort.genotypes, **names, **places)
trait = pd.DataFrame({"SNP": variants["id"], "A1": variants["alt"], "A2": variants["ref"], "N": 50_000})
trait["Z"] = planted_traits(cohort, 1, seed=1, signed=0.3)[:, 0]
trait.to_csv(folder / "height.sumstats.gz", sep="\t", index=False)
signed = run_sldp(
    [folder / "cohort_model.parquet"],
    [folder / "height.sumstats.gz"],
    folder / "panel.npz",
    folder / "sldp",
    SldpSettings(flips=10_000),
)
print(
    signed.annotations[["annotation", "correlation", "low", "high", "p_value", "control"]].to_string(
        index=False
    )
)

# 4. One report of all three.
print(build_report([folder / name for name in ("mpra", "eqtl", "sldp")], folder / "report.html"))
best = mean.set_index(["embedding", "model"])["value"]
assert best["model", "lasso"] > best["k-mer changes", "lasso"]
assert signed.annotations.set_index("annotation").loc["known", "p_value"] < 0.01
