"""A finished study with hostile names of a term, of a symbol and of all that the page of a gene shows, and its report."""

import dataclasses
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cistron.formats.edges import read_edges, write_edges
from cistron.formats.store import seal_store
from cistron.report.study import build_study_report
from cistron.study import run_study
from cistron.world.study import StudyWorldSettings, write_study_world

HOSTILE = "<script>document.title='broken'</script>"


PLAN = """
[study]
name = "Planted <i>study</i>"
annotation = "genes.tsv"
gene_map = ["hgnc.tsv"]
added = ["gaussian"]
complementarity = ["terms"]
[embeddings.first]
file = "first_half.h5ad"
[embeddings.second]
file = "second_half.h5ad"
[embeddings.noise]
file = "noise.h5ad"
[tasks.terms]
kind = "gene_labels"
labels = "labels.tsv"
learner = "ridge"
draws = 60
[tasks.network]
kind = "edges"
truth = "network.tsv"
networks = ["guess.tsv"]
folds = 2
repeats = 1
draws = 40
evidence = ["expression"]
[tasks.cells]
kind = "expression"
cells = "cells.h5ad"
gene_split = "random"
draws = 20
[genes]
tracks = "tracks.zarr"
enhancers = "contributions.tsv"
variants = "variants.parquet"
epigenesis = "map.zarr"
designs = "design.zarr"
networks = "edges.tsv"
"""


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A finished study with hostile names of a term and of a symbol, and its report."""
    world = tmp_path_factory.mktemp("world")
    settings = StudyWorldSettings(
        genes=160, chromosomes=4, functions=4, sets=8, pairs=60, edges=200, cells=40
    )
    write_study_world(world, settings, seed=3)
    genes = pd.read_csv(world / "genes.tsv", sep="\t")
    genes.loc[0, "symbol"] = HOSTILE
    genes.loc[1, "symbol"] = "LDLR"
    genes.to_csv(world / "genes.tsv", sep="\t", index=False)
    names = pd.DataFrame(
        {"ensembl_gene_id": genes["gene"], "symbol": genes["symbol"], "entrez_id": genes["entrez"]}
    )
    names["alias_symbol"] = ["FHC|LDLCQ2" if symbol == "LDLR" else "" for symbol in names["symbol"]]
    names.to_csv(world / "hgnc.tsv", sep="\t", index=False)
    labels = pd.read_csv(world / "labels.tsv", sep="\t").replace({"term": {"term 0": HOSTILE}})
    labels.to_csv(world / "labels.tsv", sep="\t", index=False)
    network = pd.read_csv(world / "network.tsv", sep="\t")
    network.loc[0, "target"] = genes["gene"][1]
    network.drop_duplicates(["source", "target"]).query("source != target").to_csv(
        world / "network.tsv", sep="\t", index=False
    )
    guess = network.head(20).assign(sign=1, probability=0.9).drop_duplicates(["source", "target"])
    guess.query("source != target").to_csv(world / "guess.tsv", sep="\t", index=False)
    _make_hostile(world, genes["gene"].iloc[0])
    (world / "study.toml").write_text(PLAN)
    result = run_study(world / "study.toml", world / "study")
    build_study_report(result.folder, result.folder / "report.html")
    return result.folder


def _make_hostile(world, gene):
    """Put a hostile name of a track, a mark, a cell type, an element, a variant and a network into the files for the page of a gene."""
    for store, part, old in (
        ("tracks.zarr", "tracks", "CAGE:liver"), ("map.zarr", "marks", "H3K27ac"), ("design.zarr", "outcome", "liver"),
    ):  # fmt: skip
        path = world / store / "zarr.json"
        meta = json.loads(path.read_text())
        meta["attributes"][part] = json.loads(
            json.dumps(meta["attributes"][part]).replace(json.dumps(old), json.dumps(HOSTILE))
        )
        path.write_text(json.dumps(meta))
        seal_store(world / store)
    elements = pd.read_csv(world / "contributions.tsv", sep="\t")
    elements.loc[:2, "name"] = HOSTILE
    elements.to_csv(world / "contributions.tsv", sep="\t", index=False)
    edges = read_edges(world / "edges.tsv")
    write_edges(dataclasses.replace(edges, name=HOSTILE), world / "edges.tsv")
    table = pq.read_table(world / "variants.parquet")
    names = [HOSTILE] * len(table)
    table = table.set_column(table.schema.get_field_index("id"), table.schema.field("id"), pa.array(names))
    pq.write_table(table, world / "variants.parquet")
