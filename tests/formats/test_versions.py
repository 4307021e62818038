"""Versions of Ensembl ids are cut on both sides of every join, or on none."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import IdentifierError
from cistron.evaluation.gwas.coverage import prepare_embeddings
from cistron.formats import build_gene_embedding, combine_gene_embeddings
from cistron.formats.edges import read_edges
from cistron.formats.gene_embedding import embedding_genes
from cistron.formats.perturbation_labels import number_perturbations

PLAIN = [f"ENSG{number:011d}" for number in range(1, 121)]
VERSIONED = [f"{gene}.{number % 9 + 1}" for number, gene in enumerate(PLAIN)]


def _embedding(genes, seed=0, namespace=None):
    values = np.random.default_rng(seed).normal(size=(len(genes), 3))
    return build_gene_embedding(
        values, genes, name="e", method="x", evidence="dna", identifier_namespace=namespace
    )


@pytest.mark.parametrize("namespace", [None, "other"])
def test_embeddings_meet_traits_and_one_another(namespace):
    versioned = _embedding(VERSIONED, namespace=namespace)
    assert list(embedding_genes(versioned)) == PLAIN
    assert prepare_embeddings([versioned], pd.Index(PLAIN), "t")[0].information["matched"] == 120
    combined = combine_gene_embeddings([versioned, _embedding(PLAIN, 1, namespace)])
    assert list(combined.obs_names) == PLAIN
    with pytest.raises(IdentifierError, match="more than once when versions are cut off"):
        embedding_genes(_embedding([*VERSIONED, f"{PLAIN[0]}.99"]))


def test_networks_and_labels(tmp_path):
    (tmp_path / "a.tsv").write_text(
        f"source\ttarget\n{VERSIONED[0]}\t{PLAIN[1]}\n{PLAIN[2]}\t{VERSIONED[1]}\n"
    )
    assert read_edges(tmp_path / "a.tsv").pairs() == [(PLAIN[0], PLAIN[1]), (PLAIN[2], PLAIN[1])]
    labels = np.array([VERSIONED[0], PLAIN[1], f"{VERSIONED[2]}+ctrl", "control"])
    meaning = number_perturbations(labels, PLAIN, {"control"}, (), 1, "cells")
    assert meaning.perturbation.tolist() == [0, 1, 2, -1]


def test_labels_are_no_reason_to_map_genes():
    with pytest.raises(IdentifierError, match="name a column of var") as caught:
        number_perturbations(np.array(["TP53", "MYC", "BRCA1"]), PLAIN, {"control"}, (), 1, "cells")
    assert "genes map" not in str(caught.value)
