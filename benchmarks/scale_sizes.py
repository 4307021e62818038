"""Memory and time of the long jobs at two sizes each: the larger is a tenth (or the share that the table says) of what a large project has.

``python -m benchmarks scale_sizes``; ``CISTRON_SIZES=cells,samples`` runs some of the jobs ``cells``, ``samples``, ``genomes``, ``effects``.
Files are made up and lie in a temporary folder (``TMPDIR``, at most 1 GB). Every run is the command in a process of its own with one thread;
CPU seconds and memory are those of that process. 100,000 variants are in ``variants_many`` (1,000 and 10,000, a tenth).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

_MEASURE = (
    "own = resource.getrusage(resource.RUSAGE_SELF); print(own.ru_utime + own.ru_stime, own.ru_maxrss / 1e3)"
)
_COMMAND = f"import resource, sys; from cistron.cli import main; code = main(sys.argv[1:]); {_MEASURE}; sys.exit(code)"
_EFFECTS = f"""
import resource, sys
from cistron.formats.perturbed_cells import read_perturbed_cells
from cistron.networks.fold_changes import screen_effects
found = screen_effects(read_perturbed_cells(sys.argv[1]))
assert found.shift.shape[0] > 0
{_MEASURE}
"""
GENES = 20_000
SEQUENCE, SPACE = 2_048, 400_000  # base pairs of a window, and between the genes of the genome


def _measured(code: str, *words: object) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of a program in a process of its own."""
    line = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr}")
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def _cells(path: Path, number: int, genes: int = GENES, expressed: int = 500) -> None:
    """Sparse counts; cells of a pool are repeated in random order. Genes lie on 22 chromosomes."""
    random = np.random.default_rng(0)
    pool = min(number, 4_000)
    steps = np.cumsum(random.integers(1, genes // expressed + 1, (pool, expressed)), axis=1)
    columns = np.sort((steps + random.integers(0, genes, (pool, 1))) % genes, axis=1).astype(np.int32)
    counts = (1 + random.poisson(0.7, columns.shape)).astype(np.float32)
    chosen = random.integers(0, pool, number)
    matrix = sparse.csr_matrix(
        (counts[chosen].ravel(), columns[chosen].ravel(), np.arange(number + 1) * expressed), (number, genes)
    )
    types = pd.Categorical([f"type {kind}" for kind in chosen % 40])
    observations = pd.DataFrame({"cell_type": types}, index=[f"c{row}" for row in range(number)])
    names = [f"ENSG{row:011d}" for row in range(genes)]
    variables = pd.DataFrame({"chromosome": (np.arange(genes) % 22 + 1).astype(str)}, index=names)
    anndata.AnnData(matrix, obs=observations, var=variables).write_h5ad(path)


def cells(folder: Path) -> Iterator[tuple[str, int, int, str, float, float]]:
    """``cells train`` (cells, and pseudobulks of cell types) and ``cells predict``."""
    for number in (12_500, 50_000):
        path = folder / f"{number}.h5ad"
        _cells(path, number)
        where = f"{number} cells x {GENES} genes"
        for unit in ("cell", "cell-type"):
            model = folder / f"{number}.{unit}"
            words = [
                "cells",
                "train",
                path,
                "--unit",
                unit,
                "--cell-split",
                "random" if unit == "cell" else "none",
                "--threads",
                1,
                "--quiet",
            ]
            if unit == "cell-type":
                words += ["--cell-type", "cell_type"]
            found = _measured(_COMMAND, *words, "--output", model)
            yield f"cells train --unit {unit}", number, 500_000, where, *found
        words = [
            "cells",
            "predict",
            folder / f"{number}.cell",
            path,
            "--unit",
            "cell-type",
            "--threads",
            1,
            "--quiet",
        ]
        found = _measured(_COMMAND, *words, "--output", folder / f"{number}.prediction.h5ad")
        yield "cells predict --unit cell-type", number, 500_000, where, *found
        path.unlink()


def samples(folder: Path) -> Iterator[tuple[str, int, int, str, float, float]]:
    """``omics prepare gtex`` of a table of text, then ``omics embed`` of what it wrote."""
    random = np.random.default_rng(0)
    for number in (1_400, 5_600):
        path = folder / f"{number}.parquet"
        factors = random.normal(0, 0.3, (20, number)).astype(np.float32)
        loadings = random.standard_normal((GENES, 20), dtype=np.float32)
        _parquet(path, loadings, factors)
        where = f"{GENES} genes x {number} samples"
        prepared = folder / f"{number}.h5ad"
        found = _measured(_COMMAND, "omics", "prepare", "gtex", path, "--output", prepared, "--quiet")
        yield "omics prepare gtex", number, 56_000, where, *found
        words = ["omics", "embed", prepared, "--log", "no", "--dimensions", 32, "--threads", 1, "--quiet"]
        found = _measured(_COMMAND, *words, "--output", folder / f"{number}.embedding.h5ad")
        yield "omics embed --method pca", number, 56_000, where, *found
        path.unlink()
        prepared.unlink()


def _parquet(path: Path, loadings: np.ndarray, factors: np.ndarray) -> None:
    """TPM, genes x samples, a row group at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"GTEX-{column}" for column in range(factors.shape[1])]
    schema = pa.schema(
        [("Name", pa.string()), ("Description", pa.string()), *((name, pa.float32()) for name in names)]
    )
    random = np.random.default_rng(1)
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(loadings), 1_000):
            part = loadings[start : start + 1_000]
            values = np.exp2(
                3
                + part @ factors
                + 0.5 * random.standard_normal((len(part), factors.shape[1]), dtype=np.float32)
            )
            genes = [f"ENSG{start + row:011d}" for row in range(len(part))]
            writer.write_table(pa.table([genes, genes, *values.T], schema=schema))


def genomes(folder: Path) -> Iterator[tuple[str, int, int, str, float, float]]:
    """``sequence embed`` of 50 genes with a person's DNA from an indexed VCF of 20 and of 100 people."""
    import pysam

    from cistron.sequence import EnformerSettings
    from cistron.sequence.random_model import write_random_model

    random = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    dna = "".join(letters[random.integers(0, 4, 50 * SPACE + SPACE)])
    (folder / "genome.fa").write_text(f">chr1\n{dna}\n")
    places = [SPACE // 2 + SPACE * gene for gene in range(50)]
    rows = [f"ENSG{gene:011d}\tchr1\t{place}\t+" for gene, place in enumerate(places)]
    annotation = folder / "genes.tsv"
    annotation.write_text("gene\tchromosome\tposition\tstrand\n" + "\n".join(rows) + "\n")
    settings = EnformerSettings(
        channels=48, depth=1, heads=4, key_size=8, length=SEQUENCE, crop=1, tracks={"human": 20}
    )
    write_random_model(folder / "model", settings, 1)
    for people in (20, 100):
        plain = folder / f"{people}.vcf"
        names = "\t".join(f"p{person}" for person in range(people))
        with plain.open("w") as file:
            file.write(f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={len(dna)}>\n")
            file.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
            for place in range(100, len(dna) - 100, 300):
                old = dna[place]
                calls = "\t".join(np.array(["0|0", "0|1", "1|1"])[random.integers(0, 3, people)])
                file.write(
                    f"chr1\t{place + 1}\t.\t{old}\t{'ACGT'['ACGT'.index(old) - 1]}\t.\tPASS\t.\tGT\t{calls}\n"
                )
        whole = folder / f"whole{people}.vcf"
        whole.symlink_to(plain.name)
        packed = pysam.tabix_index(str(plain), preset="vcf", keep_original=True)
        for kind, variants in (("indexed", packed), ("read to its end", whole)):
            words = [
                "sequence",
                "embed",
                "--annotation",
                annotation,
                "--genome",
                folder / "genome.fa",
                "--build",
                "random",
            ]
            words += [
                "--weights",
                folder / "model",
                "--variants",
                variants,
                "--sample",
                "p7",
                "--threads",
                1,
                "--quiet",
            ]
            found = _measured(_COMMAND, *words, "--output", folder / f"{people}{kind[:3]}.h5ad")
            yield (
                f"sequence embed, one of a VCF's people ({kind})",
                people,
                1_000,
                f"{len(dna) // 300} records",
                *found,
            )


def effects(folder: Path) -> Iterator[tuple[str, int, int, str, float, float]]:
    """Effects of all perturbations on all genes (``networks.fold_changes``), 30 cells each."""
    for number in (250, 1_000):
        path = folder / f"{number}.effects.h5ad"
        random = np.random.default_rng(0)
        _cells(path, 30 * number + 1_000, 10_000, 500)
        data = anndata.read_h5ad(path)
        labels = np.r_[np.repeat(np.arange(number), 30), np.full(1_000, -1)]
        names = [*data.var_names[random.permutation(10_000)[:number]], "control"]
        data.obs["perturbation"] = pd.Categorical([names[label] for label in labels])
        data.write_h5ad(path)
        found = _measured(_EFFECTS, path)
        yield (
            "effects table",
            number,
            10_000,
            f"{number} perturbations x 10000 genes, {len(labels)} cells",
            *found,
        )
        path.unlink()


def main() -> None:
    """Print one table: two sizes of every job, the share of the full size, and what a unit more costs."""
    jobs = {job.__name__: job for job in (cells, samples, genomes, effects)}
    wanted = os.environ.get("CISTRON_SIZES", ",".join(jobs)).split(",")
    print(
        "| job | size | share | CPU s | peak, MB | MB a thousand more | CPU s a thousand more |\n|---|---|---|---|---|---|---|"
    )
    for name in wanted:
        before: dict[str, tuple[int, float, float]] = {}
        with tempfile.TemporaryDirectory() as folder:
            for job, number, full, where, seconds, peak in jobs[name](Path(folder)):
                slope = ""
                if job in before:
                    smaller, was, peaked = before[job]
                    more = (number - smaller) / 1_000
                    slope = f"{(peak - peaked) / more:.2f} | {(seconds - was) / more:.2f}"
                before[job] = (number, seconds, peak)
                print(
                    f"| {job} | {where} | {number / full:.1%} | {seconds:.1f} | {peak:.0f} | {slope or ' | '} |",
                    flush=True,
                )
