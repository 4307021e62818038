"""CausalBench's own models beside ours, on the same training cells, scored alike: a planted network and TAP-seq.

``CISTRON_PEER_CAUSALBENCH`` is the Python of an environment made as benchmarks/peers/causalbench.txt says; without it only our methods
are run. Each answer is kept in the folder that ``CISTRON_PEERS_FOLDER`` names, so that a run that was cut goes on. A model that has
not ended after ``CISTRON_PEERS_LIMIT`` CPU seconds (90) is stopped, which the table says.

``CISTRON_PEERS_GENES`` and ``CISTRON_PEERS_CELLS`` are the genes of the planted screen (42) and its cells per knock-out (40; twenty times
as many control cells), ``CISTRON_PEERS_SHARE`` a share of TAP-seq's training cells (1), for models that take long.
``CISTRON_PEERS_MODELS`` and ``CISTRON_PEERS_SCREENS`` (names with commas) run some models, on some screens.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.networks_real import DATA
from benchmarks.networks_worlds import planted_cells
from cistron.evaluation.edges.interventions import (
    HeldOutCells,
    Pair,
    edge_effects,
    held_out_cells,
    permutation_null,
)
from cistron.evaluation.edges.truth import average_precision
from cistron.formats.expression_scale import log_normalise
from cistron.formats.perturbed_cells import PerturbedCells, read_perturbed_cells, split_cells
from cistron.networks.methods import METHODS
from cistron.networks.settings import DefaultSettings

SEED = 1000
LIMIT = int(os.environ.get("CISTRON_PEERS_LIMIT", "90"))  # CPU seconds
GENES = int(os.environ.get("CISTRON_PEERS_GENES", "42"))
CELLS = int(os.environ.get("CISTRON_PEERS_CELLS", "40"))
SHARE = float(os.environ.get("CISTRON_PEERS_SHARE", "1"))
OURS = (
    "default",
    "mean-shift",
    "wasserstein",
    "direct",
    "trees",
    "partial-correlation",
    "correlation",
    "random",
)
ORDERED = ("GRNBoost", "GENIE")  # the others give a set of edges
INTERVENTIONAL = (
    "GRNBoost",
    "Lasso",
    "IGSP",
    "GIES",
    "DCDFG-LIN",
    "DCDFG-MLP",
    "random forest",
    "GENIE",
    "DCDI-G",
    "DCDI-DSF",
)
OBSERVATIONAL = (
    "Sortnregress",
    "PC",
    "GES",
    "GSP",
    "NOTEARS",
    "NOTEARS (L1)",
    "NOTEARS-MLP",
    "NOTEARS-MLP (L1)",
)


@dataclass(frozen=True)
class Screen:
    """One data set: cells for training, cells for scoring, and the truth where it is known."""

    name: str
    training: PerturbedCells
    held_out: HeldOutCells
    true: np.ndarray | None


@dataclass(frozen=True)
class Answer:
    """Edges, whether their order says which are stronger, and CPU seconds; a text where there is no answer."""

    edges: list[Pair]
    ordered: bool
    seconds: float
    failed: str = ""


def screens() -> list[Screen]:
    """Give a planted screen (the feature selections ask for more than 40 genes) and the TAP-seq screen, 80% of the cells for training."""
    cells, true = planted_cells(
        SEED,
        genes=GENES,
        shape="hubs",
        counts_per_gene=12.0,
        cells_per_knockout=CELLS,
        control_cells=20 * CELLS,
    )
    train, test = split_cells(cells)
    name = "planted" if (GENES, CELLS) == (42, 40) else f"planted {GENES} {CELLS}"
    found = [Screen(name, cells.select(train), held_out_cells(cells, test), true)]
    file = DATA / "tapseq_schraivogel_k562" / "derived_causalbench_format.npz"
    if file.exists():
        cells = read_perturbed_cells(file)
        train, test = split_cells(cells)
        kept = np.random.default_rng(SEED).permutation(train)[: round(SHARE * len(train))]
        name = "TAP-seq" if SHARE == 1 else f"TAP-seq {SHARE:g}"
        found.append(
            Screen(
                name,
                cells.select(train if SHARE == 1 else np.sort(kept)),
                held_out_cells(cells, test),
                None,
            )
        )
    wanted = os.environ.get("CISTRON_PEERS_SCREENS", "")
    return [screen for screen in found if not wanted or screen.name.split()[0] in wanted.split(",")]


def our_answer(name: str, screen: Screen) -> Answer:
    """All pairs of one of our methods, strongest first."""
    record = METHODS[name]
    settings = DefaultSettings(resamples=0) if name == "default" else record.settings()
    started = time.process_time()
    network = record(screen.training, settings, 0)
    seconds = time.process_time() - started
    return Answer(network.edges(None, name=name, method=name).pairs(), True, seconds)


def peers_answer(name: str, screen: Screen, folder: Path) -> Answer:
    """Edges of one of CausalBench's models, from the folder or computed and kept there."""
    file = folder / f"{screen.name.replace(' ', '_')}_{name.replace(' ', '_')}.json"
    if not file.exists():
        file.write_text(json.dumps(_run(name, screen, folder)), encoding="utf-8")
    found = json.loads(file.read_text(encoding="utf-8"))
    edges = [(a, b) for a, b in found["edges"] if a != b]
    return Answer(list(dict.fromkeys(edges)), name in ORDERED, found["seconds"], found.get("failed", ""))


def _run(name: str, screen: Screen, folder: Path) -> dict[str, object]:
    cells, observational = screen.training, name in OBSERVATIONAL
    rows = np.flatnonzero(cells.perturbation == -1 if observational else cells.perturbation >= -1)
    names = np.array([*cells.genes, "non-targeting"])
    with tempfile.TemporaryDirectory() as temporary:
        np.savez(
            f"{temporary}/training.npz",
            expression=log_normalise(cells.values, cells.scale)[rows].toarray(),
            labels=names[cells.perturbation[rows]],
            genes=np.array(cells.genes),
        )
        script = Path(__file__).resolve().parent / "peers" / "run_causalbench.py"
        regime = "observational" if observational else "interventional"
        command = [
            os.environ["CISTRON_PEER_CAUSALBENCH"],
            str(script),
            f"{temporary}/training.npz",
            name,
            regime,
            f"{temporary}/edges.json",
        ]
        return _watched(command, Path(temporary))


def _watched(command: list[str], folder: Path) -> dict[str, object]:
    """Run a model until it ends or has had its CPU seconds; the answer, or what it had done by then."""
    environment = {
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
    }
    with open(folder / "printed.txt", "wb") as printed, open(folder / "errors.txt", "wb") as errors:
        model = subprocess.Popen(
            command,
            stdout=printed,
            stderr=errors,
            cwd=folder,
            env=environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT)),
        )
        clock = threading.Timer(60 * LIMIT, model.kill)
        clock.start()
        _, status, used = os.wait4(model.pid, 0)
        model.returncode = os.waitstatus_to_exitcode(status)
        clock.cancel()
    memory = used.ru_maxrss / 1024**2  # GB
    if not model.returncode:
        found = dict(json.loads((folder / "edges.json").read_text(encoding="utf-8")))
        return {**found, "memory": memory}
    last = [_last_line(folder / file) for file in ("printed.txt", "errors.txt")]
    if model.returncode < 0:
        said = f"; its last line: {last[0]}" if last[0] else ""
        failed = f"not ended after {LIMIT} CPU s, {memory:.1f} GB{said}"
    else:
        failed = last[1]
    return {"edges": [], "seconds": used.ru_utime + used.ru_stime, "memory": memory, "failed": failed}


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").strip().splitlines()
    return lines[-1].strip()[:150] if lines else ""


def _scores(answer: Answer, true: np.ndarray, genes: tuple[str, ...]) -> tuple[float, float, float, float]:
    """AUPRC over all ordered pairs, its 95% bootstrap over targets, and the share of right pairs among as many as there are edges.

    Pairs without an order, and those that were not given, come in random order: their expectation.
    """
    number = {gene: place for place, gene in enumerate(genes)}
    score = np.zeros(true.shape)
    for place, (source, target) in enumerate(answer.edges):
        score[number[source], number[target]] = 2 - place / len(answer.edges) if answer.ordered else 1
    pairs = ~np.eye(len(true), dtype=bool)
    order, edges, target = score[pairs], true[pairs] != 0, np.nonzero(pairs)[1]
    left, right = int(edges.sum()), 0.0
    for level in -np.unique(-order):
        here = order == level
        taken = min(int(here.sum()), left)
        right, left = right + taken * edges[here].mean(), left - taken
    random = np.random.default_rng(0)
    drawn = [
        average_precision(
            order, edges, np.bincount(random.integers(0, len(true), len(true)), minlength=len(true))[target]
        )
        for _ in range(500)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return average_precision(order, edges), low, high, right / edges.sum()


def _distances(answer: Answer, screen: Screen, most: int) -> tuple[int, float, float]:
    """Edges with perturbed sources that are scored, their mean Wasserstein distance, and that less its null."""
    pairs = [pair for pair in answer.edges if pair[0] in screen.held_out.rows]
    pairs = pairs[:most] if answer.ordered else pairs
    if not pairs:
        return 0, np.nan, np.nan
    effects = edge_effects(pairs, screen.held_out)
    distance = effects["wasserstein"].to_numpy()
    return (
        len(pairs),
        float(distance.mean()),
        float((distance - permutation_null(effects, screen.held_out)).mean()),
    )


def _line(name: str, answer: Answer, screen: Screen) -> str:
    """One line of the table; what went wrong in place of numbers."""
    if answer.failed:
        return f"  {name:20} {answer.failed}"
    text = f"  {name:20} {len(answer.edges):6d}"
    if screen.true is not None:
        value, low, high, precision = _scores(answer, screen.true, screen.training.genes)
        text += f"  {value:.3f} [{low:.3f}, {high:.3f}]  {precision:.3f}    "
    number, distance, excess = _distances(answer, screen, 50)
    text += f"  {distance:.4f}  {excess:+.4f} ({number})".ljust(26) if number else "  -".ljust(26)
    return text + f"{answer.seconds:8.1f}"


def main() -> None:
    """Print a table for the planted screen and one for TAP-seq."""
    folder = Path(os.environ.get("CISTRON_PEERS_FOLDER") or tempfile.mkdtemp())
    folder.mkdir(exist_ok=True, parents=True)
    theirs = "CISTRON_PEER_CAUSALBENCH" in os.environ
    wanted = os.environ.get("CISTRON_PEERS_MODELS", "")
    for screen in screens():
        cells, genes = screen.training.values.shape
        print(f"\n{screen.name}: {genes} genes, {cells:,} training cells")
        head = ""
        if screen.true is not None:
            head = "  AUPRC [95%]           right of k"
            print(f"  {int((screen.true != 0).sum())} true edges (k) among {genes * (genes - 1):,} pairs")
        print(f"  {'method':20}  edges{head}  mean W, less null (edges)   CPU s")
        for name in OURS:
            print(_line(name, our_answer(name, screen), screen), flush=True)
        for regime, names in (("all training cells", INTERVENTIONAL), ("control cells alone", OBSERVATIONAL)):
            if not theirs:
                break
            print(f" CausalBench 1.1.2, {regime}")
            for name in (one for one in names if not wanted or one in wanted.split(",")):
                print(_line(name, peers_answer(name, screen, folder), screen), flush=True)
    if not theirs:
        print("CISTRON_PEER_CAUSALBENCH is not set: CausalBench's models were not run", file=sys.stderr)
