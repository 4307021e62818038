"""A commented study file and the planted world that it runs on."""

from pathlib import Path

from cistron.errors import InputError
from cistron.runtime.files import atomic_path

_TEXT = """\
# A study: every embedding on every task. Paths are relative to this file.
# cistron study run {name} --output study

[study]
name = "Planted world"
seed = 0
annotation = "{world}/genes.tsv"        # where genes lie: GTF, GFF3, BED or a table; chromosomes are left out by it
# gene_map = ["hgnc.tsv"]               # tables between gene ids, where a task names genes differently
# covariates = "covariates.tsv"         # further covariates (GC content, mean expression) for the row "covariates alone"
annotation_sets = "{world}/sets.gmt"    # how many sets a gene is in: the row that shows literature bias
added = ["permuted", "gaussian", "covariates", "annotations"]   # rows that are added to judge the others by
complementarity = ["sets"]              # tasks on which every two embeddings are also scored together

# One table an embedding. evidence is what it was made from: expression, dna, protein, perturbation, chromatin, literature.
[embeddings.first]
file = "{world}/first_half.h5ad"
evidence = ["expression"]

[embeddings.second]
file = "{world}/second_half.h5ad"
evidence = ["dna"]

[embeddings.both]
combine = ["first", "second"]

[embeddings.noise]
file = "{world}/noise.h5ad"
evidence = ["dna"]

# One table a task; further keys are the settings of its command.
[tasks.traits]
kind = "gwas"
traits = "{world}/traits"

[tasks.sets]
kind = "genesets"
sets = "{world}/sets.gmt"

[tasks.labels]
kind = "gene_labels"
labels = "{world}/labels.tsv"

[tasks.pairs]
kind = "pairs"
pairs = "{world}/pairs.tsv"
combinations = ["product"]
repeats = 2

[tasks.network]
kind = "edges"
truth = "{world}/network.tsv"
repeats = 2

[tasks.cells]
kind = "expression"
cells = "{world}/cells.h5ad"

# Files of other commands that the page of a gene shows; all may be left out, and 'cistron study add' takes them later.
[genes]
tracks = "{world}/tracks.zarr"             # cistron sequence predict
enhancers = "{world}/contributions.tsv"    # cistron sequence enhancers
variants = "{world}/variants.parquet"      # cistron sequence variants
epigenesis = "{world}/map.zarr"            # cistron chromatin epigenesis
designs = "{world}/design.zarr"            # cistron chromatin design
networks = "{world}/edges.tsv"             # cistron networks infer
"""


def write_example(path: str | Path) -> Path:
    """Write the example and its world.

    Parameters
    ----------
    path
        Study file to write; the world goes to ``STEM_world`` beside it.

    Returns
    -------
    Path
        Folder of the world.

    Raises
    ------
    InputError
        If the name does not end in .toml, or the folder of the world exists and is not empty.
    """
    from cistron.world.study import StudyWorldSettings, write_study_world

    path = Path(path)
    if path.suffix != ".toml":
        raise InputError(f"a study file is a .toml. Given: {path.name}; change --output")
    world = path.parent / f"{path.stem}_world"
    if world.exists() and not (world / "genes.tsv").exists() and any(world.iterdir()):
        raise InputError(f"{world} exists and is not a planted world; give another --output")
    settings = StudyWorldSettings(genes=400, sets=20, pairs=300, edges=300, cells=160)
    write_study_world(world, settings, seed=0)
    with atomic_path(path) as partial:
        partial.write_text(_TEXT.format(name=path.name, world=world.name), encoding="utf-8")
    return world
