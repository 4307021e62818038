"""A small world with planted truth, one file a wing: tests, docs and the demo share it."""

from cistron.world.files import write_world
from cistron.world.genes import GENERATOR_VERSION, PlantedGenes, WorldSettings, plant_genes
from cistron.world.gwas import PlantedGwas, plant_gwas, planted_correlations
from cistron.world.omics import ASSAYS, PlantedAssay, plant_omics

__all__ = [
    "ASSAYS",
    "GENERATOR_VERSION",
    "PlantedAssay",
    "PlantedGenes",
    "PlantedGwas",
    "WorldSettings",
    "plant_genes",
    "plant_gwas",
    "plant_omics",
    "planted_correlations",
    "write_world",
]
