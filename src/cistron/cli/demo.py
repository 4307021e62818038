"""``cistron demo``: the main job on the built-in world, with the commands and files a user would use."""

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.options import Seed, renamed
from cistron.cli.running import Writes
from cistron.methods import Count
from cistron.runtime import say, show
from cistron.runtime.progress import clock_text

app = App(name="demo", help="Run the main job on the built-in world with planted truth.")
# Parts of other wings: name to module with ``run(directory, seed) -> dict``, whose ``folder`` joins the report.
PARTS: dict[str, str] = {
    "cells": "cistron.cli.demo_cells",
    "networks": "cistron.cli.demo_networks",
    "sequence": "cistron.cli.demo_sequence",
    "variants": "cistron.cli.demo_variants",
    "chromatin": "cistron.cli.demo_chromatin",
}
# About how many processor seconds each part takes; only the time left rests on them.
SHARES = {"study": 45, "cells": 5, "networks": 10, "sequence": 15, "variants": 15, "chromatin": 10}


@app.default
def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"]), Writes(maintained=True)] = Path("demo"),
    gene_count: Annotated[Count, renamed("--gene-count", "--genes")] = 3000,
    seed: Seed = 0,
) -> None:
    """Run the main job on a small world whose truth is known, and say how much of it was found.

    Writes the planted matrices and GWAS, embeds the matrices, scores the embeddings on the traits, and ends in
    one HTML report.

    Parameters
    ----------
    output
        Folder to write to.
    gene_count
        Number of planted genes.
    """
    from cistron.report.study import build_study_report

    started, whole = time.monotonic(), sum(SHARES.values())
    study, folders = _study_part(output, gene_count, seed), []
    for number, (name, module) in enumerate(PARTS.items(), 2):
        done = SHARES["study"] + sum(SHARES[part] for part in list(PARTS)[: number - 2])
        gone = time.monotonic() - started
        say(
            f"demo: {name} (part {number} of {len(PARTS) + 1}, {clock_text(gone)} gone, about {clock_text(gone * (whole / done - 1))} left)"
        )
        run: Callable[[Path, int], dict[str, object]] = importlib.import_module(module).run
        result = run(output / name, seed)
        for line in result.get("lines", ()):  # type: ignore[attr-defined]
            show(line)
        if "folder" in result:
            folders.append(Path(str(result["folder"])))
        folders.extend(result.get("folders", ()))  # type: ignore[arg-type]
    report = build_study_report(study, output / "report.html", further=folders)
    show(f"report: {report}")


_STUDY = """\
[study]
name = "What four embeddings of a planted world are worth"
seed = {seed}
annotation = "world/genes.tsv"
complementarity = ["sets"]
[embeddings.tissues]
file = "embeddings/tissues.h5ad"
[embeddings."cell lines"]
file = "embeddings/cell_lines.h5ad"
[embeddings."tissues + cell lines"]
combine = ["tissues", "cell lines"]
[embeddings.noise]
file = "embeddings/noise.h5ad"
[embeddings."true functions"]
file = "world/true_functions.h5ad"
[tasks.traits]
kind = "gwas"
traits = "world/traits"
covariance = "world/{covariance}"
[tasks.sets]
kind = "genesets"
sets = "tasks/sets.gmt"
[tasks.labels]
kind = "gene_labels"
labels = "tasks/labels.tsv"
learner = "ridge"
[tasks.pairs]
kind = "pairs"
pairs = "tasks/pairs.tsv"
combinations = ["product"]
repeats = 2
most = 600

[genes]
tracks = "genes/tracks.zarr"
enhancers = "genes/contributions.tsv"
variants = "genes/variants.parquet"
epigenesis = "genes/map.zarr"
designs = "genes/design.zarr"
networks = "genes/edges.tsv"
"""


def _study_part(output: Path, genes: int, seed: int) -> Path:
    from cistron.evaluation.recovery import recovered_correlations
    from cistron.formats import combine_gene_embeddings, read_gene_embedding, write_gene_embedding
    from cistron.omics import OmicsEmbedder, PcaSettings, read_matrix
    from cistron.study import run_study
    from cistron.world import WorldSettings, write_world
    from cistron.world.gene_files import write_gene_files
    from cistron.world.genes import plant_genes
    from cistron.world.study import StudyWorldSettings, write_function_tasks

    say(f"demo: planting {genes:,} genes, three omics matrices and seven GWAS in {output / 'world'}")
    world = write_world(output / "world", WorldSettings(genes=genes), seed)
    say("demo: embedding the matrices by principal components")
    embeddings = {}
    for assay in ("tissues", "cell_lines", "noise"):
        embedder = OmicsEmbedder(PcaSettings(dimensions=12), seed=seed)
        embeddings[assay] = embedder.embed(
            read_matrix(world[f"matrix:{assay}"]), name=assay, licence="CC0-1.0"
        )
    embeddings["tissues + cell lines"] = combine_gene_embeddings(
        [embeddings["tissues"], embeddings["cell_lines"]], name="tissues + cell lines"
    )
    for name, embedding in embeddings.items():
        write_gene_embedding(embedding, output / "embeddings" / f"{name.replace(' + ', '_and_')}.h5ad")
    truth = read_gene_embedding(world["truth"])
    show("functions recovered (canonical correlations with the 12 planted functions, mean; 1 is all):")
    for name, embedding in embeddings.items():
        found = recovered_correlations(embedding, truth)
        show(f"  {name}: {found.mean():.2f} ({int((found > 0.7).sum())} of {len(found)} above 0.7)")
    say("demo: scoring every embedding on planted GWAS, gene sets, labels and pairs")
    (output / "tasks").mkdir(exist_ok=True)
    tasks = StudyWorldSettings(genes=genes, sets=24, pairs=max(100, genes // 4))
    planted = plant_genes(WorldSettings(genes=genes), seed)
    write_function_tasks(output / "tasks", planted, tasks, seed)
    # planted, not predicted: the other parts of the demo have worlds and genes of their own
    write_gene_files(output / "genes", planted, seed=seed)
    plan = output / "study.toml"
    plan.write_text(_STUDY.format(seed=seed, covariance=world["covariance"].name), encoding="utf-8")
    result = run_study(plan, output / "study")
    rows = result.table[
        (result.table["task"] == "traits")
        & (result.table["part"] == "all genes")
        & (result.table["row"] == "embedding")
    ]
    show(
        "GWAS traits predicted beyond covariates (median delta R2; the planted signal is 0.06 of the variance):"
    )
    for row in rows.itertuples():
        show(
            f"  {row.embedding}: {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}], control {row.control_value:+.3f}"
        )
    return output / "study"
