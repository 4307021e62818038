"""``cistron omics tune``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.method_options import ChosenMethod, method_options
from cistron.cli.options import GeneColumn, GenesIn, Layer, Modality, Scheduler, Seed, Threads, Workers
from cistron.cli.running import InCloud, Writes
from cistron.methods import Count
from cistron.omics.methods import METHODS
from cistron.omics.settings_preparation import Duplicates, PreprocessingSettings
from cistron.runtime import show


@method_options(METHODS, default="vdtf", only=lambda method: bool(method.traits.search))
def tune(
    *matrices: Annotated[Path, InCloud()],
    output: Annotated[Path, Parameter(name=["--output", "-o"]), Writes(shared=True, growing=True)],
    chosen: ChosenMethod,
    trials: Count = 30,
    epochs: Count = 40,
    smallest: Count = 4,
    largest: Count | None = None,
    traits: Path | None = None,
    chromosomes: Literal["odd", "even"] = "odd",
    storage: Annotated[Path | None, Writes(shared=True, growing=True)] = None,
    layer: Layer = None,
    genes_in: GenesIn = "auto",
    gene_column: GeneColumn = None,
    modality: Modality = None,
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    duplicates: Duplicates = "error",
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Search layers, learning rate, batch size, epochs, dimensions and more with Optuna.

    Settings that are given (--METHOD.SETTING) are the same in all trials. Run the same command again to go on, or in several
    shells at once, or with --workers or --scheduler, to share the trials: a set of parameters then has the value that it has
    in one process, but other sets are tried, because each is chosen by the trials that are finished. Writes trials.csv and best.toml, which 'cistron omics embed --config' reads.

    Parameters
    ----------
    matrices
        Matrices that omics embed takes.
    output
        Folder to write to.
    trials
        Trials in all, over all processes.
    epochs
        Largest number of epochs of a trial.
    smallest
        Smallest number of dimensions.
    largest
        Largest number of dimensions; that of the samples when absent.
    traits
        Maximise the median delta R2 of these GWAS traits instead of the held-out reconstruction.
    chromosomes
        Chromosomes that the GWAS objective may see; report figures on the others alone.
    storage
        File of the study: .db for SQLite, else a journal; OUTPUT/study.journal when absent.
    duplicates
        What becomes of genes that occur more than once in a matrix: sum (counts, TPM), mean, first, or an error.
    """
    from cistron.omics.tuning import tune_files

    arguments = chosen.estimator_arguments(several=len(matrices) > 1)
    objective = "held-out R2" if traits is None else f"GWAS {traits.name}, {chromosomes} chromosomes"
    score = None
    if traits is not None:
        from cistron.evaluation.gwas.choosing import score_to_choose_by

        score = score_to_choose_by(traits, chromosomes)
    report = tune_files(
        matrices,
        output,
        **arguments,
        storage=storage,
        threads=threads,
        reading={
            "layer": layer,
            "genes_in": genes_in,
            "gene_column": gene_column,
            "modality": modality,
            "duplicates": duplicates,
        },
        trials=trials,
        epochs=epochs,
        smallest=smallest,
        largest=largest,
        preprocessing=preprocessing,
        score=score,
        objective=objective,
        seed=seed,
    )
    show(f"{report.finished} trials finished, {report.pruned} pruned, {report.failed} failed")
    show(f"best {objective} {report.best_value:.4f}: {report.best}")
    if report.test_value is not None:
        show(f"R2 of entries that no fit, stop or choice saw: {report.test_value:.4f} (the one to quote)")
    show(f"use it: cistron omics embed {matrices[0]} --config {output / 'best.toml'} --output EMBEDDING.h5ad")
