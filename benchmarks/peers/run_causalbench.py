"""Run one of CausalBench's own models; started by benchmarks/networks_peers.py in an environment with causalbench.txt.

Arguments: training.npz (expression, labels, genes), name of the model, regime, output.json. Written are the edges in the order
in which the model gives them, and its CPU seconds.

Two things are changed, because the models ask for a cluster and a GPU: GRNBoost and GENIE, which start 15 to 25 Dask workers, get
one in this process, and DCDI computes on the CPU. Everything else is the package's.
"""

import json
import resource
import sys
import time
import warnings

import numpy as np

MODELS = {
    "GRNBoost": ("arboreto_baselines", "GRNBoost", ()),
    "GENIE": ("arboreto_baselines", "GENIE", ()),
    "GIES": ("gies", "GIES", ()),
    "GES": ("causallearn_models", "GES", ()),
    "PC": ("causallearn_models", "PC", ()),
    "NOTEARS": ("notears", "NotearsLin", ()),
    "NOTEARS (L1)": ("notears", "NotearsLin", (0.1,)),
    "NOTEARS-MLP": ("notears", "NotearsMLP", ()),
    "NOTEARS-MLP (L1)": ("notears", "NotearsMLP", (0.1,)),
    "GSP": ("sparsest_permutations", "GreedySparsestPermutation", ()),
    "IGSP": ("sparsest_permutations", "InterventionalGreedySparsestPermutation", ()),
    "Sortnregress": ("varsortability", "Sortnregress", ()),
    "Lasso": ("feature_selection", "LassoFeatureSelection", ()),
    "random forest": ("feature_selection", "RandomForestFeatureSelection", ()),
    "DCDI-G": ("dcdi_models", "DCDI", ("DCDI-G",)),
    "DCDI-DSF": ("dcdi_models", "DCDI", ("DCDI-DSF",)),
    "DCDFG-LIN": ("dcdi_models", "DCDFG", ("linear",)),
    "DCDFG-MLP": ("dcdi_models", "DCDFG", ("mlplr",)),
}


def in_one_process() -> None:
    """Give GRNBoost and GENIE one worker in this process, so that its CPU seconds can be counted."""
    import distributed

    cluster = distributed.LocalCluster

    def small(**_: object) -> object:
        return cluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)

    distributed.LocalCluster = small  # type: ignore[misc, assignment]


def main() -> None:
    """Run and write."""
    import importlib

    from causalscbench.models.training_regimes import TrainingRegime

    warnings.simplefilter("ignore")
    with np.load(sys.argv[1]) as stored:
        expression, labels, genes = (stored[name] for name in ("expression", "labels", "genes"))
    place, name, given = MODELS[sys.argv[2]]
    if place == "arboreto_baselines":
        in_one_process()
    model = getattr(importlib.import_module(f"causalscbench.models.{place}"), name)(*given)
    if place == "dcdi_models":
        model.opt.gpu = False
    started = time.process_time()
    # Lasso and random forest index the names with a mask
    edges = model(expression.astype(np.float32), labels.tolist(), genes, TrainingRegime(sys.argv[3]), 0)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # those that load batches
    seconds = time.process_time() - started + children.ru_utime + children.ru_stime
    with open(sys.argv[4], "w", encoding="utf-8") as file:
        json.dump({"edges": [[str(a), str(b)] for a, b in edges], "seconds": seconds}, file)


main()
