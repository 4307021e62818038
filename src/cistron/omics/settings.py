"""Settings of the embedding methods; apart from the models, so that the command line reads them without loading torch."""

from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal

from cistron.errors import InputError
from cistron.methods import Count, CountOrZero, NotNegative, Positive, PositiveShare, Range, check_settings
from cistron.training.settings import FitSettings


# Classes of their own: the command line takes the defaults of `fit` from its class.
@dataclass(frozen=True)
class AutoencoderFit(FitSettings):
    """How autoencoders are fitted: :class:`cistron.training.FitSettings` with other defaults."""

    patience: Count | None = 15
    schedule: Literal["constant", "cosine"] = "cosine"


@dataclass(frozen=True)
class VdtfFit(FitSettings):
    """How VDTF is fitted: :class:`cistron.training.FitSettings` with other defaults."""

    epochs: Count = 60
    learning_rate: Positive = 1.5e-3
    patience: Count | None = 15
    schedule: Literal["constant", "cosine"] = "cosine"


@dataclass(frozen=True)
class AutoencoderSettings:
    """Settings of the autoencoder. ``AutoencoderSettings.paper()`` is the report's form.

    Attributes
    ----------
    dimensions
        Dimensions of the latent space.
    layers
        Linear layers of encoder and decoder together, even, 2 to 12.
    width
        Width of the hidden layers; 0 takes twice the latent dimensions, at least 128.
    corruption
        Share of the observed entries that are hidden from the encoder in training but must be reconstructed;
        it makes the network learn how samples depend on each other instead of copying.
    axes
        Give the embedding in the principal axes of what it explains, dimensions falling in variance, instead of
        in the latent space as it came out.
    held_out
        Share of observed entries that are kept from fitting, to stop by.
    held_out_entries
        Largest number of them.
    tested
        Share of observed entries that nothing sees, scales and stopping included; their R2 is reported. ``omics tune`` sets
        it, so that what it prints was not chosen by.
    batch_size
        Genes in a batch.
    beyond_samples
        Allow more dimensions than there are samples.
    fit
        How to fit.
    """

    dimensions: Count = 32
    layers: Annotated[int, Range(2, 12)] = 4
    width: CountOrZero = 0
    corruption: Annotated[float, Range(0, 1, open_high=True)] = 0.2
    axes: bool = True
    held_out: Annotated[float, Range(0, 0.5, open_low=True, open_high=True)] = 0.05
    held_out_entries: Count = 500_000
    tested: Annotated[float, Range(0, 0.5, open_high=True)] = 0.0
    batch_size: Annotated[int, Range(2)] = 256
    beyond_samples: bool = False
    fit: AutoencoderFit = field(default_factory=AutoencoderFit)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.layers % 2:
            raise InputError(f"autoencoder: layers must be even, 2 to 12. Given: {self.layers}")

    @classmethod
    def paper(cls) -> "AutoencoderSettings":
        """Settings of the report: no corruption; its sizes were tuned, 128 is its GTEx model."""
        return cls(
            dimensions=128,
            corruption=0.0,
            axes=False,
            held_out=0.1,
            beyond_samples=True,
            fit=AutoencoderFit(patience=10, schedule="constant"),
        )


@dataclass(frozen=True)
class VdtfSettings:
    """Settings of VDTF. ``VdtfSettings.paper()`` and ``VdtfSettings.paper_many()`` reproduce the publications.

    Attributes
    ----------
    gene_dimension
        Dimensions of the gene embedding.
    sample_dimension
        Dimensions of the sample embeddings; 0 takes gene_dimension. Fewer bound the rank of the bilinear term:
        gene dimensions beyond them have the perceptron alone.
    layers
        Linear layers of f, 2 to 8.
    width
        Width of the hidden layers; 0 takes gene_dimension + sample_dimension.
    bilinear
        Add a' C b to f: the part of an interaction that principal components see, which a small perceptron
        learns slowly.
    start
        ``pca`` starts genes, samples and C at the principal components; ``samples`` only the samples;
        ``random`` neither.
    start_deviation
        Standard deviation sigma of the gene embeddings at the start.
    kl_weight
        Weight of the Kullback-Leibler divergence from N(0, 1). With a fitted noise, 1 is the evidence lower
        bound; 0 lets sigma collapse, as in the report.
    noise
        ``assay``: Gaussian likelihood with one fitted variance for each assay; ``gene``: a second perceptron
        gives each gene's variance; ``none``: mean squared error.
    assay_deviation
        With several matrices, give each assay its own deviation sigma_assay for each gene.
    adversary_weight
        With several matrices, weight of an adversary that tells the assay from a gene's embedding; its
        gradient is reversed. 0 leaves it out.
    axes
        Give the embedding in the principal axes of what it explains, dimensions falling in variance, instead of
        in the latent space as it came out.
    held_out
        Share of observed entries that are kept from fitting, to stop by.
    held_out_entries
        Largest number of them.
    tested
        Share of observed entries that nothing sees, scales and stopping included; their R2 is reported. ``omics tune`` sets
        it, so that what it prints was not chosen by.
    tile_entries, tile_samples
        Entries and largest number of samples in a batch.
    epoch_entries
        Largest number of entries in an epoch, so that a large matrix is validated and checkpointed more often
        than once a pass.
    gene_rate
        Step size of the gene embeddings, in step sizes of the network: a gene is in few tiles of an epoch.
    beyond_samples
        Allow more gene dimensions than all matrices have samples (they cannot all be determined by the data).
    fit
        How to fit.
    """

    gene_dimension: Count = 32
    sample_dimension: CountOrZero = 0
    layers: Annotated[int, Range(2, 8)] = 3
    width: CountOrZero = 64
    bilinear: bool = True
    start: Literal["pca", "samples", "random"] = "pca"
    start_deviation: Positive = 0.05
    kl_weight: NotNegative = 1.0
    noise: Literal["assay", "gene", "none"] = "assay"
    assay_deviation: bool = True
    adversary_weight: NotNegative = 0.1
    axes: bool = True
    held_out: Annotated[float, Range(0, 0.5, open_low=True, open_high=True)] = 0.05
    held_out_entries: Count = 500_000
    tested: Annotated[float, Range(0, 0.5, open_high=True)] = 0.0
    tile_entries: Count = 8_192
    tile_samples: Count = 16
    epoch_entries: Count = 50_000_000
    gene_rate: Positive = 10.0
    beyond_samples: bool = False
    fit: VdtfFit = field(default_factory=VdtfFit)

    @property
    def dimensions_of_samples(self) -> int:
        """Dimensions of the sample embeddings in force."""
        return self.sample_dimension or self.gene_dimension

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def paper(cls) -> "VdtfSettings":
        """Settings of the report's best single-matrix model: mean squared error, no KL term."""
        return cls(
            gene_dimension=256,
            sample_dimension=164,
            width=0,
            bilinear=False,
            start="random",
            start_deviation=0.5,
            kl_weight=0.0,
            noise="none",
            axes=False,
            beyond_samples=True,
            fit=VdtfFit(epochs=100, patience=10, schedule="constant"),
        )

    @classmethod
    def paper_many(cls) -> "VdtfSettings":
        """Settings of Brechtmann et al. for several matrices, as far as their text gives them."""
        return replace(
            cls.paper(),
            sample_dimension=64,
            layers=4,
            start="samples",
            kl_weight=1.0,
            noise="gene",
            adversary_weight=1.0,
            tile_entries=1_000_000,
            fit=VdtfFit(epochs=500, learning_rate=1e-3, patience=20, schedule="constant"),
        )


@dataclass(frozen=True)
class PcaSettings:
    """Settings of ``pca``.

    Attributes
    ----------
    dimensions
        Number of components; give this or variance.
    variance
        Share of the variance that the components must explain, in (0, 1].
    scale
        Divide the scores of each component by their standard deviation, as the report does. Kept as they are by
        default: how much a component varies tells how much it is worth, and ridge uses that.
    passes
        Power iterations of the randomised method.
    """

    dimensions: Count | None = None
    variance: PositiveShare | None = None
    scale: bool = False
    passes: CountOrZero = 2

    def __post_init__(self) -> None:
        check_settings(self)
        if self.dimensions is not None and self.variance is not None:
            raise InputError("give either dimensions or variance, not both")

    @classmethod
    def paper(cls) -> "PcaSettings":
        """Settings of the report: every component has unit variance."""
        return cls(scale=True)


@dataclass(frozen=True)
class SoftImputeSettings:
    """Settings of ``soft-impute``, iterated shrunken principal components.

    Attributes
    ----------
    dimensions
        Number of components.
    held_out
        Share of the observed entries that nothing sees but the reported R2.
    held_out_entries
        Largest number of them, and of those by which the penalty is chosen.
    choosing
        Share of the remaining entries by which the penalty is chosen.
    shrinkages
        Longest path of penalties, from large to small; it ends when they get worse.
    iterations
        Most iterations of a fit.
    tolerance
        Relative change of the filled entries at which a fit ends.
    """

    dimensions: Count = 32
    held_out: Annotated[float, Range(0, 0.5, open_low=True, open_high=True)] = 0.05
    held_out_entries: Count = 500_000
    choosing: Annotated[float, Range(0, 0.5, open_low=True, open_high=True)] = 0.05
    shrinkages: Count = 16
    iterations: Count = 50
    tolerance: Positive = 1e-3

    def __post_init__(self) -> None:
        check_settings(self)


def fit_identity(settings: AutoencoderSettings | VdtfSettings) -> dict[str, Any]:
    """Settings that tell whether a checkpoint is of the same fit; what is off is left out, so that older ones go on."""
    facts = {key: value for key, value in asdict(settings).items() if key != "fit"}
    if not settings.tested:
        del facts["tested"]
    return facts
