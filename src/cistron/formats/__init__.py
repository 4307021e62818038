"""File formats that the parts of cistron exchange; each module has a checker, a reader and a writer."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names

if TYPE_CHECKING:
    from cistron.formats.gene_embedding import build_gene_embedding as build_gene_embedding
    from cistron.formats.gene_embedding import check_gene_embedding as check_gene_embedding
    from cistron.formats.gene_embedding import embedding_information as embedding_information
    from cistron.formats.gene_embedding import read_gene_embedding as read_gene_embedding
    from cistron.formats.gene_embedding import write_gene_embedding as write_gene_embedding
    from cistron.formats.gene_embedding_combination import combine_gene_embeddings as combine_gene_embeddings
    from cistron.formats.gene_embedding_exchange import export_gene_embedding as export_gene_embedding
    from cistron.formats.gene_embedding_varm import embedding_from_varm as embedding_from_varm
    from cistron.formats.gene_embedding_varm import embedding_to_varm as embedding_to_varm
    from cistron.formats.header import EVIDENCE as EVIDENCE
    from cistron.formats.magma import GeneCorrelations as GeneCorrelations
    from cistron.formats.magma import read_genes_out as read_genes_out
    from cistron.formats.magma import read_genes_raw as read_genes_raw
    from cistron.formats.magma import write_genes_out as write_genes_out
    from cistron.formats.magma import write_genes_raw as write_genes_raw
    from cistron.formats.prediction import check_prediction as check_prediction
    from cistron.formats.prediction import read_prediction as read_prediction
    from cistron.formats.prediction import write_prediction as write_prediction
    from cistron.formats.prediction_blocks import open_prediction as open_prediction
    from cistron.formats.prediction_blocks import writing_prediction as writing_prediction
    from cistron.formats.scores import SCORE_COLUMNS as SCORE_COLUMNS
    from cistron.formats.scores import check_scores as check_scores
    from cistron.formats.scores import read_scores as read_scores
    from cistron.formats.scores import score_frame as score_frame
    from cistron.formats.scores import write_scores as write_scores

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "gene_embedding": (
            "build_gene_embedding",
            "check_gene_embedding",
            "embedding_information",
            "read_gene_embedding",
            "write_gene_embedding",
        ),
        "gene_embedding_combination": ("combine_gene_embeddings",),
        "gene_embedding_exchange": ("export_gene_embedding",),
        "gene_embedding_varm": (
            "embedding_from_varm",
            "embedding_to_varm",
        ),
        "header": ("EVIDENCE",),
        "magma": (
            "GeneCorrelations",
            "read_genes_out",
            "read_genes_raw",
            "write_genes_out",
            "write_genes_raw",
        ),
        "prediction": (
            "check_prediction",
            "read_prediction",
            "write_prediction",
        ),
        "prediction_blocks": (
            "open_prediction",
            "writing_prediction",
        ),
        "scores": (
            "SCORE_COLUMNS",
            "check_scores",
            "read_scores",
            "score_frame",
            "write_scores",
        ),
    },
)
