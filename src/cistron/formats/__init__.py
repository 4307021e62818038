"""File formats that the parts of cistron exchange; each module has a checker, a reader and a writer."""

from cistron.formats.gene_embedding import (
    build_gene_embedding,
    check_gene_embedding,
    embedding_information,
    read_gene_embedding,
    write_gene_embedding,
)
from cistron.formats.gene_embedding_combination import combine_gene_embeddings
from cistron.formats.gene_embedding_exchange import export_gene_embedding
from cistron.formats.header import EVIDENCE
from cistron.formats.magma import (
    GeneCorrelations,
    read_genes_out,
    read_genes_raw,
    write_genes_out,
    write_genes_raw,
)
from cistron.formats.prediction import check_prediction, read_prediction, write_prediction
from cistron.formats.prediction_blocks import open_prediction, writing_prediction
from cistron.formats.scores import SCORE_COLUMNS, check_scores, read_scores, score_frame, write_scores

__all__ = [
    "EVIDENCE",
    "SCORE_COLUMNS",
    "GeneCorrelations",
    "build_gene_embedding",
    "check_gene_embedding",
    "check_prediction",
    "check_scores",
    "combine_gene_embeddings",
    "embedding_information",
    "export_gene_embedding",
    "open_prediction",
    "read_gene_embedding",
    "read_genes_out",
    "read_genes_raw",
    "read_prediction",
    "read_scores",
    "score_frame",
    "write_gene_embedding",
    "write_genes_out",
    "write_genes_raw",
    "write_prediction",
    "write_scores",
    "writing_prediction",
]
