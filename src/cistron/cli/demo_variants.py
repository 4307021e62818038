"""The variant part of the demo: variants scored by a small model, and scores that know the planted effects judged on a planted GWAS."""

from pathlib import Path
from typing import Any


def run(directory: Path, seed: int) -> dict[str, Any]:
    """Score planted variants with random weights, and test signed scores on a planted trait through linkage.

    Random weights say nothing of variants, and the lines say so. The GWAS is of a cohort of independent linkage blocks whose trait
    follows one of three columns of scores; the other two are the same values in another order, and noise.

    Parameters
    ----------
    directory
        Folder to write to.
    seed
        Seed of everything.

    Returns
    -------
    dict
        ``lines`` to print, and ``folders`` of results.
    """
    import numpy as np
    import pandas as pd

    from cistron.evaluation.sldp import SldpSettings, run_sldp
    from cistron.genome import Genome
    from cistron.runtime import atomic_path
    from cistron.sequence import EnformerSettings
    from cistron.sequence.random_model import write_random_model
    from cistron.sequence.settings_variants import VariantSettings
    from cistron.sequence.variant_summary import write_variant_summary
    from cistron.sequence.variants import score_variants
    from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_traits
    from cistron.world.variants import planted_variants, write_planted_variants

    world = planted_variants(seed, length=12_800, causal=8, neutral=22)
    fasta, vcf = write_planted_variants(world, directory)
    small = EnformerSettings(
        channels=48, depth=1, heads=4, key_size=8, length=2048, crop=1, tracks={"human": 4}
    )
    write_random_model(directory / "model", small, seed)
    with Genome(fasta, build="planted") as genome:
        found = score_variants(
            directory / "model",
            genome,
            vcf,
            directory / "variant_scores.parquet",
            settings=VariantSettings(shared_windows=1024),
            controls=30,
            threads=1,
        )
    write_variant_summary(found, directory / "effects", vcf, directory / "model", seed=seed)
    random = np.random.default_rng(seed)
    cohort = mosaic_cohort(MosaicSettings(blocks=110, variants=20, people=200), seed)
    variants = cohort.variants
    scores = variants[["chromosome", "position", "ref", "alt"]].copy()
    scores["what variants do"] = variants["score"]
    scores["the same, mixed"] = random.permutation(variants["score"])
    scores["noise"] = random.standard_normal(len(variants))
    names = {name: variants[name].to_numpy(str) for name in ("chromosome", "ref", "alt", "id")}
    places = {name: variants[name].to_numpy() for name in ("position", "block")}
    trait = pd.DataFrame({"SNP": variants["id"], "A1": variants["alt"], "A2": variants["ref"], "N": 50_000})
    trait["Z"] = planted_traits(cohort, 1, seed, signed=0.2)[:, 0]
    with atomic_path(directory / "model_scores.parquet") as partial:
        scores.to_parquet(partial, index=False)
    with atomic_path(directory / "panel.npz") as partial, partial.open("wb") as handle:
        np.savez(handle, genotypes=cohort.genotypes, **names, **places)
    with atomic_path(directory / "height.sumstats") as partial:
        trait.to_csv(partial, sep="\t", index=False)
    signed = run_sldp(
        [directory / "model_scores.parquet"],
        [directory / "height.sumstats"],
        directory / "panel.npz",
        directory / "sldp",
        SldpSettings(flips=10_000),
        seed=seed,
    )
    lines = [
        f"variants: {len(found.frame)} variants x {len(found.tracks)} tracks scored with RANDOM weights (they say nothing); "
        f"{len(found.controls)} random substitutions beside them",
        "variants: signed scores against a planted GWAS (the trait follows 'what variants do', planted correlation 0.2):",
    ]
    lines += [
        f"  {row.annotation}: {row.correlation:+.2f} [{row.low:+.2f}, {row.high:+.2f}], p {row.p_value:.2g}"
        for row in signed.annotations.itertuples()
    ]
    return {"lines": lines, "folders": [directory / "effects", directory / "sldp"], "signed": signed}
