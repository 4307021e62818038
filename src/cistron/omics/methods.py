"""The list of embedding methods. A new one is a file and an entry here (page ``docs/guide/adding_an_embedder.md``).

``make(matrices, settings, seed, directory)`` gives :class:`cistron.omics.embedders.EmbeddingValues`: it takes a list of
prepared matrices (one, unless the method is joint), and a folder for its record and checkpoint, or ``None``.
"""

from cistron.methods import Method, MethodList, Traits
from cistron.omics.settings import AutoencoderSettings, PcaSettings, SoftImputeSettings, VdtfSettings
from cistron.training.settings import FIT_OPTIONS

METHODS = MethodList(
    "embedding",
    Method(
        name="pca",
        summary="principal components",
        settings=PcaSettings,
        make="cistron.omics.embedders:embed_pca",
        meaning="score of the gene on a principal component of the samples",
        reference="Hotelling 1933; randomised for many samples: Halko, Martinsson and Tropp 2011",
        presets={"paper": PcaSettings.paper},
        options={"scale_components": "scale"},
    ),
    Method(
        name="soft-impute",
        summary="iterated shrunken principal components; missing entries are filled by the components",
        settings=SoftImputeSettings,
        make="cistron.omics.embedders:embed_soft_impute",
        meaning="shrunken score of the gene on a principal component of the samples of all matrices",
        reference="Mazumder, Hastie and Tibshirani 2010; Hastie, Mazumder, Lee and Zadeh 2015",
        traits=Traits(joint=True),
    ),
    Method(
        name="autoencoder",
        summary="autoencoder that reconstructs hidden entries",
        settings=AutoencoderSettings,
        make="cistron.omics.embedders:embed_autoencoder",
        meaning="latent variable of a network that reconstructs the gene's row",
        reference="Hinton and Salakhutdinov 2006, in the form of the functional gene embeddings report (TUM, 2024)",
        presets={"paper": AutoencoderSettings.paper},
        options=FIT_OPTIONS,
        traits=Traits(trained=True, search="cistron.omics.tuning:autoencoder_space"),
    ),
    Method(
        name="vdtf",
        summary="variational deep tensor factorisation, of several matrices at once",
        settings=VdtfSettings,
        make="cistron.omics.embedders:embed_vdtf",
        meaning="posterior mean of a latent variable of the gene, shared by all matrices",
        reference="Brechtmann et al., NAR Genomics and Bioinformatics 2023 (lqad095)",
        presets={"paper": VdtfSettings.paper, "paper-several": VdtfSettings.paper_many},
        options={"dimensions": "gene_dimension", "precision": "fit.precision"},
        traits=Traits(joint=True, trained=True, search="cistron.omics.tuning:vdtf_space"),
    ),
)
