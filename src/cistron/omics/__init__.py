"""The omics wing: gene embeddings from matrices of genes x samples."""

from cistron.methods import Method as EmbeddingMethod  # its name until 0.3
from cistron.old_names import keep_old_modules
from cistron.omics.embedders import EmbeddingValues
from cistron.omics.estimator import OmicsEmbedder
from cistron.omics.inputs import OmicsMatrix, read_matrix
from cistron.omics.joining import join_matrices
from cistron.omics.methods import METHODS
from cistron.omics.pca import principal_components
from cistron.omics.preprocessing import PreparedMatrix, prepare_matrix
from cistron.omics.settings import AutoencoderSettings, PcaSettings, SoftImputeSettings, VdtfSettings
from cistron.omics.settings_preparation import PreprocessingSettings

__all__ = [
    "METHODS",
    "AutoencoderSettings",
    "EmbeddingMethod",
    "EmbeddingValues",
    "OmicsEmbedder",
    "OmicsMatrix",
    "PcaSettings",
    "PreparedMatrix",
    "PreprocessingSettings",
    "SoftImputeSettings",
    "VdtfSettings",
    "join_matrices",
    "prepare_matrix",
    "principal_components",
    "read_matrix",
]

keep_old_modules(__name__, {"writing": ("saving",)})
