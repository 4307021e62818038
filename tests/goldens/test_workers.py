"""Every command with --workers and --scheduler writes the same in other processes as in one, to the last bit."""

import re
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import app
from cistron.cli.running import _commands, marks_of
from cistron.runtime.cluster import Cluster

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
try:
    from cases import CASES
    from running import ARTEFACTS, call
finally:
    sys.path.remove(str(HERE))


# A case for each command with these options: of CASES, the quickest in which several pieces of work are done.
CHOSEN = {
    "cells predict": "types",
    "cells train": "bilinear",
    "chromatin build": "bigwigs",
    "chromatin design": "one gene",
    "chromatin epigenesis": "real background",
    "evaluate edges": "planted",
    "evaluate expression": "cells",
    "evaluate genesets": "planted",
    "evaluate labels": "gains",
    "evaluate pairs": "gains",
    "evaluate sldp": "npz",
    "evaluate variants": "eqtl",
    "networks infer": "trees",
    "omics embed": "pca",
    "omics prepare": "cells",
    "sequence embed": "all",
    "sequence embed-protein": "longest",
    "sequence enhancers": "both",
    "sequence evaluate": "test",
    "sequence predict": "person",
    "sequence saturate": "regions",
    "sequence variants": "shared windows",
}
# Compared by tests of their own.
ELSEWHERE = {
    "evaluate gwas": "tests/evaluation/gwas/test_task.py",
    "omics tune": "below",
    "sequence data": "tests/sequence/test_data.py",
    "study add": "tests/study/test_study.py",
    "study run": "tests/study/test_study.py",
}
FURTHER = {
    "chromatin design": "--gene PLANTED00015 --no-report",
    "sequence evaluate": "--batch-size 1 --no-baselines --no-report",
}  # options of the cases
# Sizes of pieces, made so small that the small inputs fall into several.
SMALLER = {
    "cistron.chromatin.design._TOGETHER": 1,
    "cistron.cells.inputs.SHARD_CELLS": 30,
    "cistron.cells.predicting.BLOCK_CELLS": 30,
    "cistron.formats.stored_matrix.VALUES_AT_ONCE": 100,
    "cistron.networks.trees._TARGETS": 8,
    "cistron.omics.matrix.SHARD_GENES": 100,
}
PASSING = re.compile(r"run_id|seconds|time|version|sources")  # columns and headers that tell of the run


@pytest.fixture(scope="module")
def scheduler():
    """Address of a scheduler with a worker, a process of its own; tests/runtime has several."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs="CRITICAL",
    ) as cluster:
        yield cluster.scheduler_address


def contents(folder):
    """All numbers and texts that a run wrote, by file and part of it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if (
            path.is_dir()
            or path.name in ("run.json", ".cistron.json")
            or "journal" in name
            or "/shards/" in name
        ):
            continue
        if path.suffix == ".h5ad":
            data = anndata.read_h5ad(path)
            parts = {"X": data.X, **data.layers, "obs": data.obs, "var": data.var}
        elif path.suffix == ".parquet":
            parts = {"table": pd.read_parquet(path)}
        elif path.suffix == ".tsv":
            parts = {"table": pd.read_csv(path, sep="\t", comment="#")}
        elif (".zarr/" in name and path.name == "zarr.json") or path.suffix in (".json", ".md", ".html"):
            continue
        else:
            parts = {"bytes": path.read_bytes()}
        for part, value in parts.items():
            if isinstance(value, pd.DataFrame):
                for column in value:
                    if not PASSING.search(str(column)):
                        found[name, part, str(column)] = value[column].to_numpy()
            elif value is not None:
                found[name, part] = value if isinstance(value, bytes) else np.asarray(value)
    return found


def same(first, second):
    if isinstance(first, bytes):
        return first == second
    if first.dtype.kind == "f":
        return first.tobytes() == second.tobytes()
    return pd.Series(first).equals(pd.Series(second))


def run(case, options, inputs, out):
    out.mkdir()
    places = {"inputs": inputs, "artefacts": ARTEFACTS, "out": out}
    for line in case.before:
        assert call(line, places)[0] == 0
    arguments = (
        case.arguments.replace("--workers 1", "").replace("--threads 1", "")
        + " "
        + FURTHER.get(case.command, "")
    )
    code, _, errors = call(f"{case.command} {arguments} --threads 1 {options}", places)
    assert code == 0, errors
    return contents(out)


def distributed_commands():
    return {" ".join(words) for words, command in _commands(app, ()) if "scheduler" in marks_of(command)}


def test_every_command_with_these_options_is_compared():
    assert distributed_commands() == CHOSEN.keys() | ELSEWHERE.keys()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("command", sorted(CHOSEN))
def test_a_scheduler_gives_the_result_of_one_process(command, inputs, tmp_path, scheduler, monkeypatch):
    sent = []
    done_there = Cluster.completed
    monkeypatch.setattr(
        Cluster, "completed", lambda self, *a, **b: sent.append(1) or done_there(self, *a, **b)
    )
    for name, size in SMALLER.items():
        monkeypatch.setattr(name, size)
    (case,) = [case for case in CASES if (case.command, case.name) == (command, CHOSEN[command])]
    alone = run(case, "", inputs, tmp_path / "alone")
    together = run(case, f"--scheduler {scheduler}", inputs, tmp_path / "together")
    assert alone.keys() == together.keys()
    assert alone
    assert sent, "nothing was done on the cluster"
    assert [key for key in alone if not same(alone[key], together[key])] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_trials_of_a_search_are_shared_and_have_the_value_of_one_process(inputs, tmp_path, scheduler):
    (case,) = [case for case in CASES if case.command == "omics tune"]
    trials = []
    for name, options in (("alone", ""), ("together", f"--scheduler {scheduler}")):
        run(case, options, inputs, tmp_path / name)
        (table,) = (tmp_path / name).rglob("trials.csv")
        trials.append(pd.read_csv(table).set_index("number"))
    alone, together = trials
    assert len(alone) == len(together)
    # the first set is the defaults; what is tried next hangs on what is finished
    assert together.loc[0].drop("seconds").equals(alone.loc[0].drop("seconds"))
    assert set(together["state"]) == set(alone["state"])


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_local_processes_give_the_result_of_one_process(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("cistron.evaluation.labels.evaluate._TERMS", 1)
    (case,) = [case for case in CASES if (case.command, case.name) == ("evaluate labels", "gains")]
    alone, together = (
        run(case, f"--workers {number}", inputs, tmp_path / f"with {number}") for number in (1, 2)
    )
    assert alone.keys() == together.keys()
    assert all(same(alone[key], together[key]) for key in alone)
