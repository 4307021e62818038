"""What a user calls: a matrix in, a gene embedding out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anndata
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.expression_columns import joined_level_and_breadth
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.methods import Estimator, Method
from cistron.omics.embedders import EmbeddingValues
from cistron.omics.inputs import OmicsMatrix, read_matrix
from cistron.omics.methods import METHODS
from cistron.omics.preprocessing import prepare_matrix
from cistron.omics.settings_preparation import PreprocessingSettings
from cistron.runtime import check_writable, limit_threads
from cistron.runtime.processes import keeps


class OmicsEmbedder(Estimator):
    """Learn an embedding of genes from one or several matrices of genes x samples.

    Parameters
    ----------
    settings
        Whole settings of a method, for example :class:`PcaSettings`, or some settings by dotted name, which win over
        the preset: ``{"fit.epochs": 3}``.
    preprocessing
        What is done to the matrix before.
    seed
        Seed of the method.
    method
        Name of the method; when absent, the one whose settings these are, else ``pca``.
    preset
        Named settings that ``settings`` by name are put over.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cistron.omics import OmicsEmbedder, OmicsMatrix, PcaSettings
    >>> values = np.random.default_rng(0).gamma(2.0, size=(40, 6))
    >>> table = pd.DataFrame(values, index=[f"ENSG{number:011d}" for number in range(40)], columns=list("abcdef"))
    >>> OmicsEmbedder(PcaSettings(dimensions=3), seed=1).embed(OmicsMatrix.from_frame(table)).shape
    (40, 3)
    >>> OmicsEmbedder({"gene_dimension": 16}, method="vdtf", preset="paper").settings_in_force().gene_dimension
    16
    """

    def __init__(
        self,
        settings: Any = None,
        preprocessing: PreprocessingSettings | None = None,
        seed: int = 0,
        *,
        method: str | None = None,
        preset: str = "default",
    ) -> None:
        self.settings = settings
        self.preprocessing = preprocessing
        self.seed = seed
        self.method = method
        self.preset = preset
        self.remarks: list[str] = []
        self.log: Path | None = None
        self.settings_in_force()  # raises on what does not fit

    @property
    def record(self) -> Method:
        """The record of the method."""
        if self.method is None and self.settings is not None and not isinstance(self.settings, Mapping):
            return METHODS.method_of(self.settings)
        return METHODS.find(self.method or "pca")

    def settings_in_force(self, several: bool = False) -> Any:
        """Settings after preset and given names; ``several`` says whether there are several matrices."""
        return METHODS.resolve(self.record.name, self.settings, self.preset, several)

    def embed(
        self,
        *matrices: OmicsMatrix | pd.DataFrame,
        name: str | None = None,
        evidence: str = "expression",
        licence: str = "",
        directory: str | Path | None = None,
    ) -> anndata.AnnData:
        """Fit the method and give the embedding.

        Parameters
        ----------
        *matrices
            Matrices of :func:`read_matrix`, or DataFrames of genes x samples; more than one for a joint method.
        name
            Name of the embedding; that of the matrix and the method when absent.
        evidence
            What the matrix measures, recorded in the embedding.
        licence
            Licence of the matrix, recorded in the embedding.
        directory
            Folder in which a network keeps its record and checkpoint; a killed run is taken up from it.

        Returns
        -------
        AnnData
            A valid gene embedding. What was done is in :attr:`remarks`.

        Raises
        ------
        InputError
            If the matrices cannot be embedded, or the method takes one only.
        """
        given = [
            OmicsMatrix.from_frame(matrix, f"matrix {number + 1}" if len(matrices) > 1 else "matrix")
            if isinstance(matrix, pd.DataFrame)
            else matrix
            for number, matrix in enumerate(matrices)
        ]
        if not given:
            raise InputError("no matrix was given; name at least one")
        several, method = len(given) > 1, self.record
        if several and not method.traits.joint:
            joint = ", ".join(f"--method {one.name}" for one in METHODS.values() if one.traits.joint)
            raise InputError(
                f"{method.name} takes one matrix. Given: {len(given)}; embed each and join them with "
                f"'cistron embedding combine', or use {joint}"
            )
        spaces = sorted({matrix.namespace for matrix in given})
        if len(spaces) > 1:
            raise IdentifierError(
                f"the matrices name genes in different ways ({', '.join(spaces)}); convert with 'cistron genes map'"
            )
        preprocessing = self.preprocessing or PreprocessingSettings()
        settings = self.settings_in_force(several)
        prepared = [prepare_matrix(matrix, preprocessing) for matrix in given]
        fitted: EmbeddingValues = method(
            prepared, settings, self.seed, None if directory is None else Path(directory)
        )
        self.remarks = [
            f"{one.matrix.name}: {remark}" if several else remark
            for one in prepared
            for remark in one.remarks
        ]
        self.remarks.append(fitted.remark)
        source = "+".join(matrix.name for matrix in given)
        embedding = build_gene_embedding(
            fitted.values,
            fitted.genes or prepared[0].genes,
            name=name or f"{source} {method.name} {fitted.values.shape[1]}",
            method=method.name,
            evidence=evidence,
            identifier_namespace=spaces[0],
            licence=licence,
            seed=self.seed,
            parameters={
                "method": asdict(settings),
                "preprocessing": asdict(preprocessing),
                "log_taken": all(one.logarithm for one in prepared),
                **fitted.facts,
            },
            sources=[one.path for one in given if one.path is not None and not one.path.is_dir()],
            standard_deviation=fitted.standard_deviation,
        )
        trivial = [pd.DataFrame(one.level_and_breadth, index=pd.Index(one.genes)) for one in prepared]
        found = joined_level_and_breadth(trivial, embedding.obs_names)
        for column in found.columns:
            embedding.obs[column] = found[column]
        return embedding

    def embed_files(
        self,
        matrices: Sequence[str | Path],
        output: str | Path,
        *,
        reading: Mapping[str, Any] | None = None,
        threads: int | None = None,
        **facts: Any,
    ) -> anndata.AnnData:
        """Embed matrix files and write the embedding.

        A method that is fitted epoch by epoch keeps its record, :attr:`log`, and until it is done its checkpoint in the
        folder ``OUTPUT.fit`` beside the output; the same call goes on from there after an interrupt.

        Parameters
        ----------
        matrices
            Files of :func:`read_matrix`; more than one for a joint method.
        output
            Gene embedding to write.
        reading
            What :func:`read_matrix` takes besides the path.
        threads
            Threads of numerical libraries.
        **facts
            ``name``, ``evidence`` and ``licence`` of :meth:`embed`.

        Returns
        -------
        AnnData
            The embedding. What was done is in :attr:`remarks`.

        Raises
        ------
        InputError
            If a matrix cannot be read or embedded, or the output cannot be written.
        """
        output = check_writable(output)
        directory = output.with_suffix(".fit") if self.record.traits.trained else None
        with limit_threads(threads):
            read = [read_matrix(matrix, **(reading or {})) for matrix in matrices]
            embedding = self.embed(*read, directory=directory, **facts)
        write_gene_embedding(embedding, output)
        if directory is not None:
            self.log = directory / "log.csv"
            if keeps(directory):
                (directory / "last.ckpt").unlink(missing_ok=True)
        return embedding
