"""Statistics on arrays: closed-form ridge, whitening, correlations, bootstrap, permutation."""

from cistron.statistics.bootstrap import block_draws, bootstrap_p_value, percentile_interval
from cistron.statistics.correlation import BlockSums, pearson, signed_square
from cistron.statistics.jackknife import held_out_sums, jackknife_variance, signed_r2_without_each_group
from cistron.statistics.permutation import group_like_rows, permute_matched, permute_within, shift_within
from cistron.statistics.ridge import (
    DEFAULT_PENALTIES,
    GroupMoments,
    RidgeFit,
    fit_ridge,
    group_moments,
    leave_group_out,
    predict_left_out,
)
from cistron.statistics.ridge_choice import RidgeChoice, choose_by_groups
from cistron.statistics.whitening import (
    BlockCovariance,
    CovarianceRepair,
    PublishedProjection,
    reference_ridge,
)

__all__ = [
    "DEFAULT_PENALTIES",
    "BlockCovariance",
    "BlockSums",
    "CovarianceRepair",
    "GroupMoments",
    "PublishedProjection",
    "RidgeChoice",
    "RidgeFit",
    "block_draws",
    "bootstrap_p_value",
    "choose_by_groups",
    "fit_ridge",
    "group_like_rows",
    "group_moments",
    "held_out_sums",
    "jackknife_variance",
    "leave_group_out",
    "pearson",
    "percentile_interval",
    "permute_matched",
    "permute_within",
    "predict_left_out",
    "reference_ridge",
    "shift_within",
    "signed_r2_without_each_group",
    "signed_square",
]
