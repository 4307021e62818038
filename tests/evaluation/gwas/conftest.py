"""A small planted world on disk, with one embedding a matrix."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cistron.formats import write_gene_embedding
from cistron.omics import OmicsEmbedder, PcaSettings, read_matrix
from cistron.runtime import set_progress
from cistron.world import WorldSettings, write_world


@dataclass(frozen=True)
class Planted:
    """Paths of a planted world."""

    traits: Path
    covariance: Path
    genes: Path
    truth: Path
    tissues: Path
    noise: Path


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Planted:
    """1,500 genes on 22 chromosomes, six traits with signal and one without."""
    set_progress(False)
    folder = tmp_path_factory.mktemp("world")
    paths = write_world(folder, WorldSettings(genes=1500), seed=11)
    embeddings = {}
    for assay in ("tissues", "noise"):
        embedding = OmicsEmbedder(PcaSettings(dimensions=10)).embed(
            read_matrix(paths[f"matrix:{assay}"]), name=assay
        )
        embeddings[assay] = folder / f"{assay}_pca.h5ad"
        write_gene_embedding(embedding, embeddings[assay])
    return Planted(
        paths["traits"],
        paths["covariance"],
        paths["genes"],
        paths["truth"],
        embeddings["tissues"],
        embeddings["noise"],
    )
