"""CausalBench's own models beside ours, on the same training cells, scored alike: a planted network and TAP-seq.

``CISTRON_PEER_CAUSALBENCH`` is the Python of an environment made as benchmarks/peers/causalbench.txt says; without it only our methods
are run. Each answer is kept in the folder that ``CISTRON_PEERS_FOLDER`` names, so that a run that was cut goes on. A model that has
not ended after ``LIMIT`` CPU seconds is stopped, which the table says.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
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

SEEDS = range(1000, 1003)
LIMIT = {"planted": 120, "TAP-seq": 120}  # CPU seconds
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
    "GENIE",
    "GIES",
    "IGSP",
    "DCDI-G",
    "DCDI-DSF",
    "DCDFG-LIN",
    "DCDFG-MLP",
    "Lasso",
    "random forest",
)
OBSERVATIONAL = (
    "PC",
    "GES",
    "GSP",
    "NOTEARS",
    "NOTEARS (L1)",
    "NOTEARS-MLP",
    "NOTEARS-MLP (L1)",
    "Sortnregress",
)


@dataclass(frozen=True)
class Screen:
    """One data set: cells for training, cells for scoring, and the truth where it is known."""

    name: str
    training: PerturbedCells
    held_out: HeldOutCells
    true: np.ndarray | None

    @property
    def kind(self) -> str:
        """``planted`` or ``TAP-seq``."""
        return self.name.split()[0]


@dataclass(frozen=True)
class Answer:
    """Edges, whether their order says which are stronger, and CPU seconds; a text where there is no answer."""

    edges: list[Pair]
    ordered: bool
    seconds: float
    failed: str = ""


def screens() -> list[Screen]:
    """Give three planted screens of 50 genes and the TAP-seq screen, 80% of the cells for training."""
    found = []
    for seed in SEEDS:
        cells, true = planted_cells(
            seed,
            genes=50,
            shape="hubs",
            counts_per_gene=12.0,
            cells_per_knockout=60,
            control_cells=1000,
        )
        train, test = split_cells(cells)
        found.append(Screen(f"planted {seed}", cells.select(train), held_out_cells(cells, test), true))
    file = DATA / "tapseq_schraivogel_k562" / "derived_causalbench_format.npz"
    if file.exists():
        cells = read_perturbed_cells(file)
        train, test = split_cells(cells)
        found.append(Screen("TAP-seq", cells.select(train), held_out_cells(cells, test), None))
    return found


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
    limit = LIMIT[screen.kind]
    with tempfile.TemporaryDirectory() as temporary:
        np.savez(
            f"{temporary}/training.npz",
            expression=log_normalise(cells.values, cells.scale)[rows].toarray(),
            labels=names[cells.perturbation[rows]],
            genes=np.array(cells.genes),
        )
        script = Path(__file__).resolve().parent / "peers" / "run_causalbench.py"
        regime = "observational" if observational else "interventional"
        try:
            done = subprocess.run(
                [
                    os.environ["CISTRON_PEER_CAUSALBENCH"],
                    str(script),
                    f"{temporary}/training.npz",
                    name,
                    regime,
                    f"{temporary}/edges.json",
                ],
                capture_output=True,
                text=True,
                timeout=6 * limit,
                cwd=temporary,
                env={"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"], "HOME": temporary},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
            )
        except subprocess.TimeoutExpired:
            return {"edges": [], "seconds": limit, "failed": f"stopped after {6 * limit} s"}
        if done.returncode < 0:
            return {"edges": [], "seconds": limit, "failed": f"not ended after {limit} CPU s"}
        if done.returncode:
            return {"edges": [], "seconds": 0, "failed": done.stderr.strip().splitlines()[-1][:150]}
        return dict(json.loads(Path(f"{temporary}/edges.json").read_text(encoding="utf-8")))


def _scores(answer: Answer, true: np.ndarray, genes: tuple[str, ...]) -> tuple[float, float]:
    """AUPRC over all ordered pairs, and the share of right pairs among as many as there are edges.

    Pairs without an order, and those that were not given, come in random order: their expectation.
    """
    number = {gene: place for place, gene in enumerate(genes)}
    score = np.zeros(true.shape)
    for place, (source, target) in enumerate(answer.edges):
        score[number[source], number[target]] = 2 - place / len(answer.edges) if answer.ordered else 1
    pairs = ~np.eye(len(true), dtype=bool)
    order, edges = score[pairs], true[pairs] != 0
    left, right = int(edges.sum()), 0.0
    for level in -np.unique(-order):
        here = order == level
        taken = min(int(here.sum()), left)
        right, left = right + taken * edges[here].mean(), left - taken
    return average_precision(order, edges), right / edges.sum()


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


def _line(name: str, answers: list[Answer], of: list[Screen]) -> str:
    """One line of the table: means over screens; a failure in place of numbers."""
    failed = [answer.failed for answer in answers if answer.failed]
    if failed:
        return f"  {name:20} {failed[0]}"
    text = f"  {name:20} {np.mean([len(answer.edges) for answer in answers]):6.0f}"
    most = 50
    if of[0].true is not None:
        scores = [_scores(answer, one.true, one.training.genes) for answer, one in zip(answers, of)]  # type: ignore[arg-type]
        auprc, precision = np.mean(scores, axis=0)
        text += f"  {auprc:.3f} ({min(one[0] for one in scores):.3f} to {max(one[0] for one in scores):.3f})  {precision:.3f}"
    found = np.array([_distances(answer, one, most) for answer, one in zip(answers, of)])
    scored = found[found[:, 0] > 0]
    if len(scored):
        text += f"  {scored[:, 1].mean():.4f} {scored[:, 2].mean():+.4f} ({scored[:, 0].mean():.0f})"
    else:
        text += "       -       - (0)"
    return text + f"  {np.mean([answer.seconds for answer in answers]):8.1f}"


def main() -> None:
    """Print a table for the planted screens and one for TAP-seq."""
    folder = Path(os.environ.get("CISTRON_PEERS_FOLDER") or tempfile.mkdtemp())
    folder.mkdir(exist_ok=True, parents=True)
    everything = screens()
    theirs = "CISTRON_PEER_CAUSALBENCH" in os.environ
    for kind in ("planted", "TAP-seq"):
        of = [screen for screen in everything if screen.kind == kind]
        if not of:
            continue
        size = of[0].training.values.shape
        counted = f", mean of {len(of)} seeds (lowest to highest)" if kind == "planted" else ""
        print(f"\n{kind}: {size[1]} genes, {size[0]:,} training cells{counted}")
        head = "  AUPRC                   right of k" if kind == "planted" else ""
        print(f"  {'method':20}  edges{head}  mean W, less null (edges scored)  CPU s")
        for name in OURS:
            print(_line(name, [our_answer(name, one) for one in of], of), flush=True)
        for regime, names in (("all training cells", INTERVENTIONAL), ("control cells alone", OBSERVATIONAL)):
            if not theirs:
                break
            print(f" CausalBench 1.1.2, {regime}")
            for name in names:
                answers = []
                for screen in of:
                    answers.append(peers_answer(name, screen, folder))
                    if answers[-1].failed:
                        break
                print(_line(name, answers, of), flush=True)
    if not theirs:
        print("CISTRON_PEER_CAUSALBENCH is not set: CausalBench's models were not run", file=sys.stderr)
