"""``cistron chromatin``: histone marks to expression."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cistron.chromatin.build import BuildSettings
from cistron.chromatin.methods import METHODS
from cistron.cli.chromatin_questions import design, embed, epigenesis
from cistron.cli.method_options import ChosenMethod, add_methods_command, method_options
from cistron.cli.options import AllowLoss, Output, Scheduler, Seed, Threads, Workers, renamed
from cistron.cli.running import Lists
from cistron.methods import Positive
from cistron.runtime import show

app = App(name="chromatin", help="Expression from histone marks: predict it, explain it, design it.")
app.command(epigenesis)
app.command(design)
app.command(embed)
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
        Gene places: a GTF, a BED, or a table with gene, chromosome, position (0-based) and strand.
    expression
        Table of genes x cell types (TPM; see --expression-scale).
    split
        Table with gene and split (train, validation, test, unused); chromosomes 1-12, 13-14 and 15-22 when absent.
    """
    from cistron.chromatin.build import build_gene_tracks
    from cistron.runtime import RunRecord, record_path

    given = {
        "tracks": track_table,
        "binned": binned,
        "annotation": annotation,
        "expression": expression,
        "split": split,
    }
    inputs = [path for path in given.values() if path is not None and path.exists()]
    run = RunRecord("chromatin build", settings or BuildSettings(), inputs, 0)
    store = build_gene_tracks(
        output, **given, settings=settings, workers=workers, scheduler=scheduler, allow_loss=allow_loss
    )  # fmt: skip
    absent = int((~store.tracks.measured).sum())
    run.record("shape", list(store.tracks.values.shape))
    run.record("missing_tracks", absent)
    run.write(record_path(output))
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
        Gigabytes of marks that may be held; more is streamed from disk.
    """
    import shutil

    from cistron.chromatin.estimator import ExpressionPredictor
    from cistron.chromatin.model import save_chromatin_model
    from cistron.chromatin.parts import choose_parts
    from cistron.formats.gene_tracks import open_gene_tracks
    from cistron.runtime import RunRecord, check_writable, limit_threads

    method, settings = chosen.method.name, chosen.settings()
    check_writable(output)
    store = open_gene_tracks(data)
    store.require_expression()
    parts = choose_parts(store, held_out, validation_cell_types, test_cell_types)
    run = RunRecord(
        "chromatin train",
        {"method": method, "preset": chosen.preset, "settings": settings},
        [data / "zarr.json"],
        seed,
    )
    folder = output.with_name(output.name + ".fit")
    with limit_threads(threads):
        predictor = ExpressionPredictor(settings, method=method, seed=seed)
        model = predictor.fit(
            store, parts=parts, permuted=permuted, directory=folder, memory=int(memory * 1e9)
        )
    save_chromatin_model(model, output)
    for name in ("validation_losses", "epochs", "seconds"):
        if name in model.facts:
            run.record(name, model.facts[name])
    run.write(output / "run.json")
    if folder.exists():
        for log in folder.glob("*/log.csv"):
            shutil.copy(log, output / f"{log.parent.name}.log.csv")
        shutil.rmtree(folder)
    show(
        f"wrote {output}: {method} fitted on {len(parts.genes.train):,} genes in {len(parts.cell_types.train)} cell types"
    )
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
    import numpy as np
    import pandas as pd

    from cistron.chromatin.estimator import predict_expression
    from cistron.chromatin.model import load_chromatin_model
    from cistron.errors import InputError
    from cistron.formats.gene_tracks import open_gene_tracks
    from cistron.formats.prediction import write_prediction
    from cistron.runtime import atomic_path, check_writable, limit_threads

    check_writable(output)
    store, fitted = open_gene_tracks(data), load_chromatin_model(model)
    table = output.name.endswith((".tsv", ".tsv.gz"))
    if not table:
        if output.suffix != ".h5ad":
            raise InputError(f"predictions are written as .h5ad or .tsv. Given: {output.name}")
        store.require_expression()
    with limit_threads(threads):
        result = predict_expression(fitted, store, name=name)
    if table:
        frame = pd.DataFrame(
            np.asarray(result.layers["predicted"]).T, index=store.genes, columns=store.cell_types
        )
        with atomic_path(output) as partial:
            frame.to_csv(partial, sep="\t", float_format="%.5g", index_label="gene")
    else:
        write_prediction(output, result)
    parts = result.var["split"].value_counts()
    show(
        f"wrote {output}: {result.n_vars:,} genes ({', '.join(f'{n:,} {part}' for part, n in parts.items())}) x {result.n_obs} cell types"
    )
