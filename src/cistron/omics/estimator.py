"""What a user calls: a matrix in, a gene embedding out."""

from dataclasses import asdict
from typing import Any

import anndata
import pandas as pd

from cistron.formats.gene_embedding import build_gene_embedding
from cistron.omics.inputs import OmicsMatrix
from cistron.omics.methods import embedding_method
from cistron.omics.preprocessing import PreprocessingSettings, prepare_matrix


class OmicsEmbedder:
    """Learn an embedding of genes from a matrix of genes x samples.

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
        matrix: OmicsMatrix | pd.DataFrame,
        *,
        name: str | None = None,
        evidence: str = "expression",
        licence: str = "",
    ) -> anndata.AnnData:
        """Fit the method and give the embedding.

        Parameters
        ----------
        matrix
            Matrix of :func:`read_matrix`, or a DataFrame of genes x samples.
        name
            Name of the embedding; that of the matrix and the method when absent.
        evidence
            What the matrix measures, recorded in the embedding.
        licence
            Licence of the matrix, recorded in the embedding.

        Returns
        -------
        AnnData
            A valid gene embedding. What was done is in :attr:`remarks`.

        Raises
        ------
        InputError
            If the matrix cannot be embedded.
        """
        if isinstance(matrix, pd.DataFrame):
            matrix = OmicsMatrix.from_frame(matrix)
        prepared = prepare_matrix(matrix, self.preprocessing)
        fitted = self.method.fit(prepared, self.settings, self.seed)
        self.remarks = [*prepared.remarks, fitted.remark]
        return build_gene_embedding(
            fitted.values,
            prepared.genes,
            name=name or f"{matrix.name} {self.method.name} {fitted.values.shape[1]}",
            method=self.method.name,
            evidence=evidence,
            identifier_namespace=matrix.namespace,
            licence=licence,
            seed=self.seed,
            parameters={
                "method": asdict(self.settings),
                "preprocessing": asdict(self.preprocessing),
                "log_taken": prepared.logarithm,
                **fitted.facts,
            },
            sources=[] if matrix.path is None or matrix.path.is_dir() else [matrix.path],
            standard_deviation=fitted.standard_deviation,
        )
