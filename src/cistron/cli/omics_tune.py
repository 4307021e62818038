"""``cistron omics tune``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from cistron.cli.method_options import ChosenMethod, method_options
from cistron.cli.options import Seed, Threads
from cistron.cli.running import Writes
from cistron.errors import InputError
from cistron.methods import Count
from cistron.omics.duplicates import Duplicates
from cistron.omics.methods import METHODS
from cistron.omics.preprocessing import PreprocessingSettings
from cistron.runtime import show

if TYPE_CHECKING:
    from cistron.omics.tuning import Score


@method_options(METHODS, default="vdtf", only=lambda method: bool(method.traits.search))
def tune(
    *matrices: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"]), Writes(shared=True, growing=True)],
    chosen: ChosenMethod,
    trials: Count = 30,
    epochs: Count = 40,
    smallest: Count = 4,
    largest: Count | None = None,
    traits: Path | None = None,
    chromosomes: Literal["odd", "even"] = "odd",
    storage: Annotated[Path | None, Writes(shared=True, growing=True)] = None,
    preprocessing: Annotated[PreprocessingSettings | None, Parameter(name="*")] = None,
    duplicates: Duplicates = "error",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Search layers, learning rate, batch size, epochs, dimensions and more with Optuna.

    Settings that are given (--METHOD.SETTING) are the same in all trials. Run the same command again to go on, or in several shells at once to share the work. Writes trials.csv and
    best.toml, which 'cistron omics embed --config' reads.

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
    from cistron.omics import read_matrix
    from cistron.omics.tuning import best_as_toml, tune_embedder
    from cistron.runtime import atomic_path, check_writable, limit_threads

    if not matrices:
        raise InputError("no matrix was given; name at least one file")
    method = chosen.method.name
    if len(matrices) > 1 and not chosen.method.traits.joint:
        raise InputError(f"{method} takes one matrix. Given: {len(matrices)}; use --method vdtf")
    chosen.settings(several=len(matrices) > 1)  # raises on what does not fit, before any work
    check_writable(output / "best.toml")
    score = None if traits is None else gwas_score(traits, chromosomes)
    objective = "held-out R2" if traits is None else f"GWAS {traits.name}, {chromosomes} chromosomes"
    with limit_threads(threads):
        report = tune_embedder(
            [read_matrix(matrix, duplicates=duplicates) for matrix in matrices],
            method,
            storage=storage or output / "study.journal",
            trials=trials,
            epochs=epochs,
            smallest=smallest,
            largest=largest,
            settings=chosen.given_settings(),
            preset=chosen.preset,
            preprocessing=preprocessing,
            score=score,
            objective=objective,
            seed=seed,
        )
    with atomic_path(output / "trials.csv") as partial:
        report.trials.to_csv(partial, index=False)
    with atomic_path(output / "best.toml") as partial:
        partial.write_text(
            best_as_toml(method, report.best, settings=chosen.given_settings(), preset=chosen.preset)
        )
    show(f"{report.finished} trials finished, {report.pruned} pruned, {report.failed} failed")
    show(f"best {objective} {report.best_value:.4f}: {report.best}")
    show(f"use it: cistron omics embed {matrices[0]} --config {output / 'best.toml'} --output EMBEDDING.h5ad")


def gwas_score(traits: Path, chromosomes: str) -> "Score":
    """Median delta R2 over traits, on odd or even chromosomes alone: a score to choose by, not to report."""
    import tempfile

    import numpy as np

    from cistron.evaluation.gwas import GwasSettings, TraitCollection, TraitDesign, evaluate_gwas, read_traits

    collection = read_traits(traits)
    designs = []
    for design in collection.designs:
        numbers = design.genes["CHR"].astype(str)
        wanted = 1 if chromosomes == "odd" else 0
        rows = np.array([number.isdigit() and int(number) % 2 == wanted for number in numbers])
        designs.append(TraitDesign(design.traits, design.genes[rows].reset_index(drop=True), design.z[rows]))
    chosen = TraitCollection(collection.name, tuple(designs))

    def score(embedding) -> float:  # type: ignore[no-untyped-def]  # AnnData; loads late
        with tempfile.TemporaryDirectory() as folder:
            settings = GwasSettings(controls=0, draws=20)
            scores = evaluate_gwas([embedding], chosen, settings, directory=folder).scores
        rows = scores[(scores["metric"] == "delta_r2") & (scores["stratum"] == "all genes")]
        single = rows[~rows["target"].str.startswith("median of")]
        return float(np.median(single["value"]))

    return score
