"""The store of a build without its values: tables, names, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.chromatin.build_genes import checked_parts, meet_expression, read_split
from cistron.chromatin.build_windows import start_site_windows
from cistron.chromatin.inputs import read_expression
from cistron.chromatin.settings import BuildSettings
from cistron.formats.gene_tracks import GeneTracks, create_gene_tracks
from cistron.runtime import say


@dataclass(frozen=True)
class BuildInputs:
    """Inputs that are the same whether bigWigs or binned arrays are given."""

    output: Path
    annotation: str | Path | None
    expression: str | Path | None
    split: str | Path | None
    blacklist: str | Path | None
    contacts: str | Path | None
    settings: BuildSettings
    allow_loss: bool

    def meet_expression(
        self, genes: pd.DataFrame, cell_types: list[str], what: str
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Keep the genes that have expression, as of :func:`cistron.chromatin.build_genes.meet_expression`.

        Parameters
        ----------
        genes
            Start sites, one row per gene.
        cell_types
            Cell types of the marks.
        what
            Name of the side that the genes are of, for messages.
        """
        levels = None if self.expression is None else read_expression(self.expression)
        return meet_expression(genes, levels, cell_types, what, self.allow_loss)


@dataclass(frozen=True)
class StoreContents:
    """Tables and names of a store, without its values."""

    method: str
    genes: pd.DataFrame
    cell_types: list[str]
    marks: list[str]
    measured: np.ndarray
    levels: pd.DataFrame | None
    origin: pd.DataFrame
    chromosomes: dict[str, int]

    def with_distal(
        self, suffix: str, source: str, facts: Mapping[str, Any]
    ) -> tuple["StoreContents", dict[str, Any]]:
        """Give each mark a further track over distal elements.

        Parameters
        ----------
        suffix
            What is put behind the name of a mark.
        source
            Name of the table of contacts.
        facts
            What else is recorded.

        Returns
        -------
        contents
            With twice as many marks.
        facts
            With ``distal_marks``.
        """
        further = [f"{mark}{suffix}" for mark in self.marks]
        origin = self.origin.assign(
            mark=self.origin["mark"] + suffix, source=self.origin["source"] + f" over {source}"
        )
        contents = replace(
            self,
            marks=[*self.marks, *further],
            measured=np.concatenate([self.measured, self.measured], axis=1),
            origin=pd.concat([self.origin, origin], ignore_index=True),
        )
        return contents, {**facts, "distal_marks": further, "contacts": source}


def create_store(
    path: Path,
    given: BuildInputs,
    contents: StoreContents,
    settings: BuildSettings,
    facts: Mapping[str, object],
) -> GeneTracks:
    """Make the store of a build; its values are still to be written.

    Parameters
    ----------
    path
        Folder to make.
    given
        What was given.
    contents
        Tables and names.
    settings
        How.
    facts
        What else is recorded beside the settings.
    """
    genes, levels = contents.genes, contents.levels
    sequences = start_site_windows(genes, settings)
    if "symbol" in genes:
        sequences["symbol"] = genes["symbol"].to_numpy()
    if given.split is not None:
        sequences["split"] = read_split(Path(given.split), genes["gene"].tolist())
    elif "split" in genes:
        sequences["split"] = checked_parts(genes["split"], "start sites")
    expression = None if levels is None else levels[contents.cell_types].to_numpy()
    if settings.expression_scale == "tpm" and expression is not None and (expression % 1 == 0).all():
        say(
            "expression is taken as TPM, but all values are whole numbers; if they are counts, say --expression-scale counts"
        )
    if expression is not None and settings.expression_scale != "log1p":
        expression = np.log1p(expression)
    scale = "log1p" if settings.expression_scale == "log1p" else f"log1p_{settings.expression_scale}"
    return create_gene_tracks(
        path,
        genes=sequences,
        cell_types=contents.cell_types,
        marks=contents.marks,
        bins=settings.window // settings.bin_size,
        bin_size=settings.bin_size,
        measured=contents.measured,
        expression=expression,
        scale=scale,
        origin=contents.origin,
        name=given.output.stem,
        method=contents.method,
        genome_build=settings.genome_build,
        licence=settings.licence,
        parameters={"transform": settings.transform, "uncovered": settings.uncovered, **facts},
        chromosomes=contents.chromosomes,
    )
