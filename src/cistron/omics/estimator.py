"""What a user calls: a matrix in, a gene embedding out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import anndata
import pandas as pd

from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import build_gene_embedding
from cistron.omics.inputs import OmicsMatrix
from cistron.omics.methods import embedding_method
from cistron.omics.preprocessing import PreprocessingSettings, prepare_matrix


class OmicsEmbedder:
    """Learn an embedding of genes from one or several matrices of genes x samples.

    Parameters
    ----------
    settings
        Settings of a method, for example :class:`PcaSettings`; they say which method it is.
    preprocessing
        What is done to the matrix before.
    seed
        Seed of the method.

    Examples
    --------
    >>> embedder = OmicsEmbedder(PcaSettings(dimensions=16), seed=1)
    >>> embedding = embedder.embed(read_matrix("tissues.h5ad"))  # doctest: +SKIP
    """

    def __init__(
        self, settings: Any = None, preprocessing: PreprocessingSettings | None = None, seed: int = 0
    ) -> None:
        from cistron.omics.methods import METHODS

        self.settings = settings if settings is not None else METHODS["pca"].settings()
        kinds = [method.name for method in METHODS.values() if isinstance(self.settings, method.settings)]
        self.method = embedding_method(kinds[0] if kinds else type(self.settings).__name__)
        self.preprocessing = preprocessing or PreprocessingSettings()
        self.seed = seed
        self.remarks: list[str] = []

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
        if len(given) > 1 and not self.method.joint:
            raise InputError(
                f"{self.method.name} takes one matrix. Given: {len(given)}; embed each and join them with "
                "'cistron embedding combine', or use --method vdtf"
            )
        spaces = sorted({matrix.namespace for matrix in given})
        if len(spaces) > 1:
            raise IdentifierError(
                f"the matrices name genes in different ways ({', '.join(spaces)}); convert with 'cistron genes map'"
            )
        prepared = [prepare_matrix(matrix, self.preprocessing) for matrix in given]
        fitted = self.method.fit(
            prepared, self.settings, self.seed, None if directory is None else Path(directory)
        )
        several = len(given) > 1
        self.remarks = [
            f"{one.matrix.name}: {remark}" if several else remark
            for one in prepared
            for remark in one.remarks
        ]
        self.remarks.append(fitted.remark)
        source = "+".join(matrix.name for matrix in given)
        return build_gene_embedding(
            fitted.values,
            fitted.genes or prepared[0].genes,
            name=name or f"{source} {self.method.name} {fitted.values.shape[1]}",
            method=self.method.name,
            evidence=evidence,
            identifier_namespace=spaces[0],
            licence=licence,
            seed=self.seed,
            parameters={
                "method": asdict(self.settings),
                "preprocessing": asdict(self.preprocessing),
                "log_taken": all(one.logarithm for one in prepared),
                **fitted.facts,
            },
            sources=[one.path for one in given if one.path is not None and not one.path.is_dir()],
            standard_deviation=fitted.standard_deviation,
        )
