"""The eQTL task on the planted cohort: causal variants, linked negatives, folds of three kinds, trivial columns, direction.

``python -m benchmarks eqtl_planted``. 330 genes in independent linkage blocks, 600 people, two tissues; scores of eight columns, of which two know what a
variant does, with noise, and six know nothing; and the same scores on the wrong variants.
"""


def main() -> None:
    """Print one table."""
    import numpy as np

    from cistron.evaluation.variants import EqtlSettings, EqtlTable, Scored, evaluate_eqtl
    from cistron.evaluation.variants.inputs import allele_keys
    from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_eqtl

    cohort = mosaic_cohort(MosaicSettings(), 21)
    eqtl = planted_eqtl(cohort, 21)
    columns = {what: what for what in ("chromosome", "position", "ref", "alt")}
    keys = allele_keys(cohort.variants, columns)
    parts = eqtl["variant_id"].str.extract(
        r"chr(?P<chromosome>\w+)_(?P<position>\d+)_(?P<ref>\w)_(?P<alt>\w)_b38"
    )
    parts["position"] = parts["position"].astype(int)
    frame = parts.assign(
        key=allele_keys(parts, columns),
        swapped=allele_keys(parts, columns | {"ref": "alt", "alt": "ref"}),
        gene=eqtl["gene_id"],
        tissue=eqtl["tissue"],
        set=np.nan,
        pip=eqtl["pip"],
        z=eqtl["z"],
        effect=eqtl["slope"],
        distance=eqtl["tss_distance"].abs(),
        frequency=eqtl["maf"],
    )
    random = np.random.default_rng(0)
    values = 0.3 * random.standard_normal((len(keys), 8))
    values[:, :2] += cohort.variants["score"].to_numpy()[:, None]
    names = [f"track{number}" for number in range(8)]
    scored = [
        Scored("scores", "", keys, values, names),
        Scored("wrong variants", "", keys, random.permutation(values), names),
    ]
    found = evaluate_eqtl(
        EqtlTable("planted", "GRCh38", frame, ()), scored, EqtlSettings(trees=50, repeats=1), draws=100
    )
    facts, scores = found.facts, found.scores
    print(
        f"{facts['positives']} positives, {facts['same_gene']} linked negatives, {facts['other_gene']} of other genes; "
        f"{(eqtl['pip'] > 0.9).sum() / 660:.0%} of genes are fine-mapped\n"
    )
    print(
        "| scores | model | all | linked negatives | of other genes | permuted |\n|---|---|---|---|---|---|"
    )
    means = scores[scores["target"].str.startswith("mean of") & scores["metric"].eq("auroc")]
    for (name, model), rows in means.groupby(["embedding", "model"], sort=False):
        own = rows.set_index("stratum")
        cells = [
            f"{own.loc[one, 'value']:.3f} [{own.loc[one, 'low']:.3f}, {own.loc[one, 'high']:.3f}]"
            if one in own.index
            else ""
            for one in ("all", "linked negatives (same gene)", "negatives of other genes")
        ]
        control = own.loc["all", "control_value"]
        print(f"| {name} | {model} | {' | '.join(cells)} | {'' if np.isnan(control) else f'{control:.3f}'} |")
    print(
        "\n| scores | model | distance | direction, AUROC | accuracy | variants |\n|---|---|---|---|---|---|"
    )
    signs = scores[scores["metric"].str.startswith("direction_")]
    for (name, model, stratum), rows in signs.groupby(["embedding", "model", "stratum"], sort=False):
        own = rows.set_index("metric")
        cells = [
            f"{own.loc[one, 'value']:.3f} [{own.loc[one, 'low']:.3f}, {own.loc[one, 'high']:.3f}]"
            for one in ("direction_auroc", "direction_accuracy")
        ]
        print(f"| {name} | {model} | {stratum} | {' | '.join(cells)} | {own['n'].iloc[0]} |")
