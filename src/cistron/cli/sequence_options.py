"""Options that the commands of ``cistron sequence`` share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from cistron.genome.settings import PersonSettings
from cistron.methods import Count, Range
from cistron.runtime import show

if TYPE_CHECKING:
    from cistron.genome import Genome

MODEL = Group("Model and genome", sort_key=10)
Weights = Annotated[
    Path, Parameter(group=MODEL, help="Model folder, of 'cistron sequence weights' or 'initialise'.")
]
Fasta = Annotated[
    Path, Parameter(name="--genome", group=MODEL, help="FASTA, plain or bgzip; an index is made beside it.")
]
Build = Annotated[
    str | None,
    Parameter(
        group=MODEL, help="Genome build, for example GRCh38; needed where chromosome 1 does not tell it."
    ),
]
Ambiguous = Annotated[
    Literal["error", "n"],
    Parameter(group=MODEL, help="What to do with IUPAC letters for several bases: stop, or read them as N."),
]
Precision = Annotated[
    Literal["fp32", "mixed", "bf16"],
    Parameter(group=MODEL, help="Matrix products: exact, bfloat16 where it does not hurt, all in bfloat16."),
]
Device = Annotated[str, Parameter(group=MODEL, help="auto (a GPU where there is one), cpu, or cuda.")]
BatchSize = Annotated[Count, Parameter(group=MODEL, help="Windows at a time.")]
Augment = Annotated[
    bool, Parameter(group=MODEL, negative=(), help="Average over both strands and over shifts of the window.")
]
Shifts = Annotated[
    tuple[Annotated[int, Range(-128, 128)], ...],
    Parameter(group=MODEL, negative=(), consume_multiple=True, help="Shifts in bp of --augment."),
]
Person = Annotated[PersonSettings | None, Parameter(name="*", group=Group("A person's own DNA", sort_key=20))]


def show_variants(genome: "Genome") -> None:
    """Print how many variants of a person were read and what was left out of them; nothing for a reference."""
    from cistron.genome import PersonalGenome

    if isinstance(genome, PersonalGenome):
        show(genome.variants.summary())
