"""Settings of the methods of others that stand beside the network."""

from dataclasses import dataclass, field

from cistron.chromatin.settings import NetworkFit
from cistron.errors import InputError
from cistron.methods import Count, Positive, PositiveShare, Share, check_settings


@dataclass(frozen=True)
class BoostingSettings:
    """Settings of gradient boosting on bins.

    Attributes
    ----------
    bins
        Parts of the window whose mean signals are the features.
    other_cell_types
        Give the mean of each feature over the cell types of the gene as well.
    trees
        Trees at most; the validation part stops earlier.
    leaves
        Leaves of a tree.
    minimum_examples
        Examples (a gene in a cell type) in a leaf, at least.
    learning_rate
        Share of each tree's answer that is taken.
    row_share, feature_share
        Share of the examples, and of the features, that each tree sees.
    patience
        Trees without improvement on the validation part after which no more are added.
    """

    bins: Count = 20
    other_cell_types: bool = False
    trees: Count = 1000
    leaves: Count = 15
    minimum_examples: Count = 20
    learning_rate: Positive = 0.05
    row_share: PositiveShare = 0.7
    feature_share: PositiveShare = 0.3
    patience: Count = 50

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class SingleCellTypeSettings:
    """What the networks of others share: how they are fitted; each gene in each cell type is an example.

    Attributes
    ----------
    mark_dropout
        Share of the tracks that training masks, so that missing marks are in distribution.
    batch_size
        Genes in a batch.
    members
        Networks in the ensemble, each from its own seed.
    fit
        How to fit.
    """

    mark_dropout: Share = 0.02
    batch_size: Count = 32
    members: Count = 1
    fit: NetworkFit = field(default_factory=lambda: NetworkFit(learning_rate=1e-3, weight_decay=0.02))

    def __post_init__(self) -> None:
        check_settings(self)

    # what the shared fit asks for, and networks of one cell type have no use for
    @property
    def subsets(self) -> float:
        """They see one cell type at a time anyway."""
        return 0.0

    @property
    def level_weight(self) -> float:
        """Plain squared error."""
        return 1.0


@dataclass(frozen=True)
class DeepChromeSettings(SingleCellTypeSettings):
    """Settings of a network of DeepChrome's form (Singh et al. 2016), with expression instead of two classes.

    Attributes
    ----------
    filters
        Filters of the convolution.
    filter_bins
        Bins that a filter sees.
    pool
        Neighbouring positions of which the largest is kept.
    hidden
        Units of the two layers behind.
    dropout
        Share of the pooled features that training hides.
    """

    filters: Count = 50
    filter_bins: Count = 10
    pool: Count = 5
    hidden: tuple[Count, Count] = (625, 125)
    dropout: Share = 0.5


@dataclass(frozen=True)
class ChromoformerSettings(SingleCellTypeSettings):
    """Settings of a network of Chromoformer's form (Lee et al. 2022), without its distal elements.

    Attributes
    ----------
    resolutions
        Bins that are averaged into a token, one transformer each.
    width
        Channels of a token.
    heads
        Heads of attention.
    blocks
        Blocks of each transformer.
    feed_forward
        Units between, in a block.
    hidden
        Units of the layer behind the transformers.
    dropout
        Share of units that training hides.
    """

    resolutions: tuple[Count, ...] = (2, 5, 20)
    width: Count = 32
    heads: Count = 2
    blocks: Count = 1
    feed_forward: Count = 64
    hidden: Count = 64
    dropout: Share = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise InputError(f"width must be a multiple of heads. Given: {self.width} and {self.heads}")
        if not self.resolutions:
            raise InputError("resolutions must be given, one a transformer. Given: none")
