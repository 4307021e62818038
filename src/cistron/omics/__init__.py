"""The omics wing: gene embeddings from matrices of genes x samples."""

from typing import TYPE_CHECKING

from cistron.lazy import lazy_names
from cistron.old_names import keep_old_modules

if TYPE_CHECKING:
    from cistron.methods import Method as EmbeddingMethod  # noqa: F401  # its name until 0.3
    from cistron.omics.embedders import EmbeddingValues as EmbeddingValues
    from cistron.omics.estimator import OmicsEmbedder as OmicsEmbedder
    from cistron.omics.inputs import OmicsMatrix as OmicsMatrix
    from cistron.omics.inputs import read_matrix as read_matrix
    from cistron.omics.joining import join_matrices as join_matrices
    from cistron.omics.methods import METHODS as METHODS
    from cistron.omics.pca import principal_components as principal_components
    from cistron.omics.preprocessing import PreparedMatrix as PreparedMatrix
    from cistron.omics.preprocessing import prepare_matrix as prepare_matrix
    from cistron.omics.settings import AutoencoderSettings as AutoencoderSettings
    from cistron.omics.settings import PcaSettings as PcaSettings
    from cistron.omics.settings import SoftImputeSettings as SoftImputeSettings
    from cistron.omics.settings import VdtfSettings as VdtfSettings
    from cistron.omics.settings_preparation import PreprocessingSettings as PreprocessingSettings

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "cistron.methods": ("Method as EmbeddingMethod",),
        "embedders": ("EmbeddingValues",),
        "estimator": ("OmicsEmbedder",),
        "inputs": (
            "OmicsMatrix",
            "read_matrix",
        ),
        "joining": ("join_matrices",),
        "methods": ("METHODS",),
        "pca": ("principal_components",),
        "preprocessing": (
            "PreparedMatrix",
            "prepare_matrix",
        ),
        "settings": (
            "AutoencoderSettings",
            "PcaSettings",
            "SoftImputeSettings",
            "VdtfSettings",
        ),
        "settings_preparation": ("PreprocessingSettings",),
    },
)

keep_old_modules(__name__, {"writing": ("saving",)})
