"""Choose source, dimensions, neighbours and the choice of the penalty under the positional null model; report on the rest.

The list of candidates is this file's; it is chosen from by the median gain over half of the traits on odd chromosomes, where nothing
else is seen. The choice is then reported on the other traits, on even chromosomes (scored there, and fitted there alone) and
beside its controls. Ridge, without the MHC, on the genes that each embedding covers.
"""

from dataclasses import replace

import anndata
import numpy as np

from benchmarks.functional_embeddings import _depmap
from benchmarks.gwas_nulls import SHARE
from benchmarks.real_matrices import FILES, TRAITS, real_matrix
from cistron.evaluation.gwas import Problem, RidgeSettings, predict, read_traits, trait_halves
from cistron.evaluation.gwas.coverage import Scored, prepare_embeddings
from cistron.evaluation.gwas.near import mean_over_neighbours
from cistron.evaluation.gwas.tasks import POSITIONAL, Task, build_tasks
from cistron.evaluation.gwas.variants import Variant, variant_problem, variant_rows
from cistron.formats import combine_gene_embeddings
from cistron.omics import OmicsEmbedder, OmicsMatrix, PcaSettings, PreprocessingSettings, join_matrices
from cistron.runtime import set_progress
from cistron.statistics import pearson, signed_square

SCALES = (0, 30, 50, 100, 200)  # kilobases over which neighbours count
APART, DEPMAP = "sources apart", "sources apart and DepMap"


def embeddings() -> dict[str, anndata.AnnData]:
    """Sources to choose from."""
    matrices = {name: real_matrix(name) for name in FILES}
    found = {}
    found["HPA consensus, 130"] = OmicsEmbedder(PcaSettings(dimensions=130)).embed(
        matrices["hpa_consensus"], name="HPA consensus, 130"
    )
    joined = join_matrices(list(matrices.values()), minimum_share=SHARE)
    table = OmicsMatrix.from_frame(joined.to_df(), "joined")
    plain = PreprocessingSettings(log="no", scale_samples=False, centre_samples=False, minimum_measured=SHARE)
    for dimensions in (32, 64, 128, 256):
        name = f"joined, {dimensions}"
        found[name] = OmicsEmbedder(PcaSettings(dimensions=dimensions), plain).embed(table, name=name)
    blocks = []
    for name, matrix in matrices.items():
        block = OmicsEmbedder(PcaSettings(dimensions=min(len(matrix.samples), 64))).embed(matrix, name=name)
        blocks.append(_even(block))
    apart = combine_gene_embeddings(blocks, join="outer", scale=False, name=APART)
    found[APART] = apart[found["joined, 64"].obs_names.intersection(apart.obs_names)].copy()
    more = combine_gene_embeddings([*blocks, _even(_depmap())], join="outer", scale=False, name=DEPMAP)
    found[DEPMAP] = more[found[APART].obs_names].copy()
    return found


def _even(block: anndata.AnnData) -> anndata.AnnData:
    """A block whose dimensions have a mean variance of 1; their ratios stay."""
    block.X = block.X / np.sqrt(np.asarray(block.X).var(axis=0).mean())
    return block


def gains(
    tasks: list[Task],
    scored: Scored,
    scale: float,
    choice: str,
    *,
    chromosomes: str = "all",
    tested: str = "all",
    kind: str = "full",
) -> dict[str, float]:
    """Gain of each trait.

    Parameters
    ----------
    tasks, scored
        Traits and embedding.
    scale
        Kilobases over which neighbours count.
    choice
        How ridge chooses its penalty.
    chromosomes, tested
        ``all``, ``odd`` or ``even`` chromosomes that are fitted, and that are scored.
    kind
        ``full`` or a control.
    """
    found = {}
    for task in tasks:
        variant = Variant(kind, 0, POSITIONAL)
        rows, _ = variant_rows(task, variant, [scored])
        problem = variant_problem(task, variant, [scored], tuple(range(task.design.z.shape[1])), 1)
        number = task.design.genes["CHR"].astype(int).to_numpy()[rows]
        use = np.flatnonzero(_chosen(number, chromosomes))
        problem = problem.select(use)
        near = None
        if scale:
            near = mean_over_neighbours(number[use], task.middles[rows][use], 1000.0 * scale)
        problem = Problem(problem.z, problem.covariates, problem.features, problem.folds, near=near)
        test = _chosen(number[use], tested)
        settings = RidgeSettings(choice=choice)  # type: ignore[arg-type]
        r2 = [
            signed_square(pearson(predict(one, "ridge", settings)[test], problem.z[test]))
            for one in (problem, problem.with_features(problem.features[:, :0]))
        ]
        found |= dict(zip(task.design.traits, r2[0] - r2[1]))
    return found


def _chosen(number: np.ndarray, which: str) -> np.ndarray:
    return np.ones(len(number), dtype=bool) if which == "all" else number % 2 == (which == "odd")


def main() -> None:
    """Print the choice and what it is worth."""
    set_progress(False)
    traits = read_traits(TRAITS)
    first, other = trait_halves(traits.z_frame())
    tasks = build_tasks(traits, null=POSITIONAL, projection="none", folds=None)
    scored = {
        name: prepare_embeddings([one], traits.genes, traits.name)[0] for name, one in embeddings().items()
    }

    def median(values: dict[str, float], names: list[str]) -> float:
        return float(np.median([values[name] for name in names]))

    candidates = [(name, scale, "chromosomes") for name in scored for scale in SCALES]
    candidates += [("joined, 64", scale, "gcv") for scale in (0,)]
    print(f"{len(candidates)} candidates, chosen on {len(first)} traits and odd chromosomes")
    print("| embedding | penalty by | " + " | ".join(f"{scale} kb" for scale in SCALES) + " |")
    print("|---|---|" + "---|" * len(SCALES))
    chosen: dict[tuple[str, int, str], float] = {}
    for name, choice in dict.fromkeys((name, choice) for name, _, choice in candidates):
        for scale in [scale for who, scale, how in candidates if (who, how) == (name, choice)]:
            found = gains(tasks, scored[name], scale, choice, chromosomes="odd")
            chosen[name, scale, choice] = median(found, first)
        cells = [chosen.get((name, scale, choice)) for scale in SCALES]
        print(
            f"| {name} | {choice} | {' | '.join('' if cell is None else f'{cell:+.4f}' for cell in cells)} |",
            flush=True,
        )
    best = max(chosen, key=lambda one: chosen[one])
    print(
        "\n| chosen | traits chosen on | other traits | all 30 | odd | even | even, fitted there alone | permuted | shifted | matched |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    everything = first + other
    for name, scale, choice in dict.fromkeys(
        [best, ("joined, 64", 100, "chromosomes"), ("joined, 64", 0, "chromosomes")]
    ):
        own = scored[name]
        whole = gains(tasks, own, scale, choice)
        cells = [median(whole, names) for names in (first, other, everything)]
        for tested in ("odd", "even"):
            cells.append(median(gains(tasks, own, scale, choice, tested=tested), everything))
        cells.append(median(gains(tasks, own, scale, choice, chromosomes="even"), everything))
        for kind in ("permuted", "shifted", "matched"):
            cells.append(median(gains(tasks, own, scale, choice, kind=kind), everything))
        print(
            f"| {name}, {scale} kb, {choice} | {' | '.join(f'{cell:+.4f}' for cell in cells)} |", flush=True
        )
    single_columns(tasks, scored["joined, 64"], first, other)


def single_columns(tasks: list[Task], joined: Scored, first: list[str], other: list[str]) -> None:
    """What the leading component gives alone: how much a gene is expressed on the whole, and the rest without it.

    Parameters
    ----------
    tasks
        Traits.
    joined
        The embedding joined, 64.
    first, other
        Halves of the traits.
    """
    print(
        "\n| components of joined, 64 | kb | traits chosen on | other traits | all 30 | even |\n|---|---|---|---|---|---|"
    )
    for name, columns in (
        ("1", slice(0, 1)),
        ("1 to 16", slice(0, 16)),
        ("2 to 64", slice(1, 64)),
        ("1 to 64", slice(0, 64)),
    ):
        part = replace(joined, values=joined.values[:, columns])
        for scale in (0, 100):
            whole = gains(tasks, part, scale, "chromosomes")
            cells = [
                float(np.median([whole[one] for one in names])) for names in (first, other, first + other)
            ]
            cells.append(
                float(np.median(list(gains(tasks, part, scale, "chromosomes", tested="even").values())))
            )
            print(f"| {name} | {scale} | {' | '.join(f'{cell:+.4f}' for cell in cells)} |", flush=True)
