"""``cistron world``: small planted files of every kind that the documentation names."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cistron.cli.options import Seed
from cistron.cli.running import Writes
from cistron.methods import Range
from cistron.runtime import atomic_directory, say, show

app = App(name="world", help="Write small files of every kind, to try the commands on.")


@app.command
def write(
    output: Annotated[Path, Parameter(name=["--output", "-o", "--folder"]), Writes()],
    *,
    gene_count: Annotated[int, Range(220)] = 330,
    seed: Seed = 0,
) -> None:
    """Write small planted files under the names that the documentation uses.

    Every block of the README and of the documentation runs in that folder as it is written. All files are of the same
    made-up genes and hold planted truth: matrices, GWAS results, a genome with annotation, proteins and variants, random
    weights of small models, bigWigs, cells, a perturbation screen, gene sets, and a mirror for ``cistron data``.

    Parameters
    ----------
    output
        Folder to write.
    gene_count
        Number of genes.
    """
    from cistron.world.sample_data import write_sample_data

    with atomic_directory(output) as partial:
        names = [path.name for path in write_sample_data(partial, genes=gene_count, seed=seed)]
        names += _weights(partial, seed)
    show(f"wrote {output}: {', '.join(sorted(names))}")
    show(f"now: cd {output}, and paste a block of the README")


def _weights(folder: Path, seed: int) -> list[str]:
    """Write small models of random weights in others' formats; nothing, with a remark, in an installation without PyTorch."""
    import pandas as pd

    try:
        from cistron.sequence.random_model import write_foreign_weights, write_random_esm2
    except ModuleNotFoundError as error:
        say(f"no weights of models are written, because {error.name} is not installed")
        return []
    from cistron.sequence.settings import EnformerSettings, Esm2Settings

    tracks = 6
    model = EnformerSettings(
        channels=24, depth=1, heads=4, key_size=4, length=2048, crop=2, tracks={"human": tracks, "mouse": 2}
    )
    write_foreign_weights(folder / "enformer-pytorch.safetensors", model, seed)
    assays = [f"{'DNASE' if number < tracks // 2 else 'CAGE'}:liver" for number in range(tracks)]
    targets = pd.DataFrame({"identifier": [f"track{n}" for n in range(tracks)], "description": assays})
    targets.to_csv(folder / "targets_human.txt", sep="\t", index_label="index")
    write_random_esm2(
        folder / "esm2_t33_650M_UR50D", Esm2Settings(layers=2, width=16, heads=2, hidden=32), seed
    )
    return ["enformer-pytorch.safetensors", "targets_human.txt", "esm2_t33_650M_UR50D"]
