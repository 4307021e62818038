"""What an edit costs: tensors [gene, cell type, mark, bin] in, one number a gene out; and the steps that keep it sparse."""

from torch import Tensor
from torch.nn import functional


def blocks_of(edit: Tensor, size: int) -> Tensor:
    """Edits by kilobase (``size`` bins): [gene, cell type, mark, block, bin of the block], the last padded with 0."""
    bins = edit.shape[-1]
    return functional.pad(edit, (0, -bins % size)).unflatten(-1, (-1, size))


def edit_size(edit: Tensor, size: int) -> Tensor:
    """Sum of absolute changes in kb x log signal, [gene]."""
    return edit.abs().sum(dim=(1, 2, 3)) / size


def total_variation(edit: Tensor, size: int) -> Tensor:
    """Sum of absolute differences of neighbouring bins, [gene], over the bins of a kilobase."""
    return edit.diff(dim=-1).abs().sum(dim=(1, 2, 3)) / size


def profile_distance(values: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """Squared Mahalanobis distance of the profile of each cell type from the training data, divided by the number of features.

    Parameters
    ----------
    values
        Marks, float [gene, cell type, mark, bin].
    mean, precision
        Mean and inverse covariance of the profiles of the training data, [feature] and [feature, feature].

    Returns
    -------
    Tensor
        [gene, cell type].
    """
    bins = mean.shape[0] // values.shape[2]
    flat = functional.adaptive_avg_pool1d(values.flatten(0, 2), bins)
    centred = flat.unflatten(0, values.shape[:3]).flatten(2) - mean
    return ((centred @ precision) * centred).sum(dim=-1) / mean.shape[0]


def shrink(edit: Tensor, l1: Tensor, group: Tensor, size: int) -> Tensor:
    """Proximal step of the sparse group lasso (Simon et al. 2013): soft threshold by bin, then by block.

    Parameters
    ----------
    edit
        [gene, cell type, mark, bin].
    l1, group
        Thresholds of a bin and of the root mean square of a block, [gene].
    size
        Bins of a block.
    """
    bins = edit.shape[-1]
    wide = (slice(None), None, None, None)
    soft = edit.sign() * (edit.abs() - l1[wide]).clamp(min=0)
    parts = blocks_of(soft, size)
    norm = parts.square().mean(dim=-1, keepdim=True).sqrt()
    kept = (1 - group[wide][..., None] / norm.clamp(min=1e-12)).clamp(min=0)
    return (parts * kept).flatten(-2)[..., :bins]
