"""Contributions of planted enhancers by the trained model of the tests, and by random weights: average precision.

``python -m benchmarks enhancers_planted``. 30 genes with two enhancers of each of two cell types and four places where nothing is; one cell type is asked for.
"""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

STORED = Path(__file__).parents[1] / "tests" / "sequence" / "planted_enhancer_model.py"


def main() -> None:
    """Print one table."""
    import numpy as np

    from cistron.evaluation.enhancers import EnhancerSettings, run_enhancers
    from cistron.genome import Genome
    from cistron.sequence import save_weights
    from cistron.sequence.enhancers import score_enhancers
    from cistron.sequence.settings_enhancers import EnhancerScoreSettings
    from cistron.world.enhancers import planted_enhancers, write_planted_enhancers

    spec = importlib.util.spec_from_file_location("planted_enhancer_model", STORED)
    assert spec is not None
    assert spec.loader is not None
    stored: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stored)
    print(
        "| weights | method | any enhancer among empty places | of the cell type, among all |\n|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        world = planted_enhancers(11, genes=30)
        write_planted_enhancers(world, folder)
        either = world.pairs.assign(Regulated=np.where(world.pairs["kind"] == "none", "FALSE", "TRUE"))
        either.to_csv(folder / "either.tsv", sep="\t", index=False)
        for name, model in (("trained", stored.stored_model()), ("random", stored.new_model(3).eval())):
            save_weights(model, folder / name, tracks=stored.TABLE)
            with Genome(folder / "genome.fa", build="planted") as genome:
                score_enhancers(
                    folder / name,
                    genome,
                    folder / "genes.gtf",
                    folder / "pairs.tsv",
                    folder / f"{name}.tsv",
                    tracks=["blood"],
                    settings=EnhancerScoreSettings(("gradient", "attention", "ism"), 128, 1, 5),
                    threads=1,
                )
            found = {}
            for pairs in ("either", "pairs"):
                scores = run_enhancers(
                    [folder / f"{name}.tsv"],
                    folder / f"{pairs}.tsv",
                    folder / name / pairs,
                    EnhancerSettings(draws=200),
                )
                chosen = scores["metric"].eq("average_precision") & scores["stratum"].eq("all")
                found[pairs] = scores[chosen].set_index("embedding")
            for method in found["pairs"].index:
                cells = [
                    f"{rows.loc[method, 'value']:.3f} [{rows.loc[method, 'low']:.3f}, {rows.loc[method, 'high']:.3f}]"
                    for rows in found.values()
                ]
                print(f"| {name} | {method} | {' | '.join(cells)} |", flush=True)
