"""``cistron chromatin``: histone marks to expression."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cistron.chromatin.methods import METHODS
from cistron.chromatin.settings import BuildSettings
from cistron.cli.chromatin_questions import design, embed, epigenesis, export, quality
from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import (
    AllowLoss,
    Devices,
    Nodes,
    Output,
    Scheduler,
    Seed,
    Strategy,
    Threads,
    TrainingPrecision,
    Workers,
    renamed,
)
from cistron.cli.running import Lists
from cistron.methods import Positive
from cistron.runtime import show

app = App(name="chromatin", help="Expression from histone marks: predict it, explain it, design it.")
app.command(epigenesis)
app.command(design)
app.command(embed)
app.command(export)
app.command(quality)
add_methods_command(app, METHODS)


@app.command
def build(
    *,
    output: Output,
    track_table: Annotated[Path | None, renamed("--track-table", "--tracks"), Lists()] = None,
    binned: Path | None = None,
    annotation: Path | None = None,
    expression: Path | None = None,
    split: Path | None = None,
    blacklist: Path | None = None,
    contacts: Path | None = None,
    settings: Annotated[BuildSettings | None, Parameter(name="*")] = None,
    allow_loss: AllowLoss = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Bin histone marks around start sites and put them beside expression, in one zarr store.

    Parameters
    ----------
    track_table
        Table with cell_type, mark, path of a bigWig, and optional kind (measured or imputed). Tracks that are missing are masked.
    binned
        Arrays that are binned already, .npz or zarr: values [gene, cell type, mark, bin], genes, cell_types, marks, optional measured.
    annotation
        Where genes lie: GTF, GFF3, BED or a table, for example gene, chromosome, position (0-based) and strand
        (docs/formats/gene_places.md).
    expression
        Table of genes x cell types (TPM; see --expression-scale).
    split
        Table with gene and split (train, validation, test, unused); chromosomes 1-12, 13-14 and 15-22 when absent.
    blacklist
        BED of regions with artefacts (ENCODE's blacklist); bins of bigWigs that it touches are 0.
    contacts
        Table of distal elements and genes (gene, chromosome, start, end, score, optional cell_type; the ABC model's columns are known):
        each mark gets a further track, its mean over a gene's elements weighted by the score.
    """
    from cistron.chromatin.build import build_files

    store = build_files(
        output,
        tracks=track_table,
        binned=binned,
        annotation=annotation,
        expression=expression,
        split=split,
        blacklist=blacklist,
        contacts=contacts,
        settings=settings,
        workers=workers,
        scheduler=scheduler,
        allow_loss=allow_loss,
    )
    absent = int((~store.tracks.measured).sum())
    shape = store.tracks.values.shape
    show(
        f"wrote {output}: {shape[0]:,} genes x {shape[1]} cell types x {shape[2]} marks x {shape[3]} bins; {absent} tracks missing; "
        f"expression: {store.scale or 'none'}"
    )


@app.command
@method_options(METHODS, default="network")
def train(
    data: Path,
    *,
    output: Output,
    chosen: ChosenMethod,
    held_out: Literal["genes", "cell-types", "both"] = "genes",
    validation_cell_types: tuple[str, ...] = (),
    test_cell_types: tuple[str, ...] = (),
    permuted: Annotated[bool, Parameter(negative=())] = False,
    memory: Positive = 4.0,
    devices: Devices = None,
    nodes: Nodes = None,
    strategy: Strategy = None,
    precision: TrainingPrecision = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Fit a model that predicts expression from marks.

    Genes of chromosomes 1-12 are fitted on, 13-14 stop the fit, 15-22 are left for the test, unless the data bring a split of
    their own. While a network is fitted its checkpoints lie in OUTPUT.fit; the same command goes on from there after an interrupt.

    Parameters
    ----------
    data
        Store of 'cistron chromatin build'.
    held_out
        Genes, cell types, or both.
    validation_cell_types
        Cell types that stop the fit, where cell types are held out.
    test_cell_types
        Cell types that are left for the test.
    permuted
        Give each gene the marks of another gene: the negative control.
    memory
        Gigabytes of marks that each process may hold; more is streamed from disk.
    """
    from cistron.chromatin.estimator import ExpressionPredictor

    running: dict[str, Any] = {
        "devices": devices,
        "nodes": nodes,
        "strategy": strategy,
        "precision": precision,
    }
    model = ExpressionPredictor(**chosen.estimator_arguments(**running), seed=seed).train_files(
        data,
        output,
        held_out=held_out,
        validation_cell_types=validation_cell_types,
        test_cell_types=test_cell_types,
        permuted=permuted,
        memory=int(memory * 1e9),
        threads=threads,
    )
    genes, cell_types = (len(model.facts[axis]["train"]) for axis in ("genes", "cell_types"))
    show(f"wrote {output}: {model.method} fitted on {genes:,} genes in {cell_types} cell types")
    if model.facts.get("validation_losses"):
        show(
            "  validation loss by member: "
            + ", ".join(f"{loss:.4f}" for loss in model.facts["validation_losses"])
        )


@app.command
def predict(
    model: Path, data: Path, *, output: Output, name: str | None = None, threads: Threads = None
) -> None:
    """Predict the expression of all genes and cell types of a store.

    Parameters
    ----------
    model
        Folder of 'cistron chromatin train'.
    data
        Store of 'cistron chromatin build': any cell types; marks that it lacks are masked.
    output
        Prediction (.h5ad, for 'cistron evaluate expression'), or a table of genes x cell types (.tsv), the only form for data
        without expression.
    name
        Name of the prediction; that of the method when absent.
    """
    from cistron.chromatin.estimator import predict_files

    result = predict_files(model, data, output, name=name, threads=threads)
    parts = result.var["split"].value_counts()
    show(
        f"wrote {output}: {result.n_vars:,} genes ({', '.join(f'{n:,} {part}' for part, n in parts.items())}) x {result.n_obs} cell types"
    )
