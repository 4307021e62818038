"""Public names of the omics, chromatin and networks wings and of the edges task that moved stay importable until 0.3."""

from importlib import import_module

import pytest

# old place, names there, new place (a name that changed is written OLD=NEW)
MOVED = [
    ("cistron.omics.writing", "write_matrix", "cistron.omics.saving"),
    ("cistron.omics.pca", "PcaSettings", "cistron.omics.settings"),
    ("cistron.omics.preprocessing", "PreprocessingSettings", "cistron.omics.settings_preparation"),
    ("cistron.omics.sources", "PreparationSettings", "cistron.omics.settings_preparation"),
    ("cistron.chromatin", "RidgeSettings=MarkRidgeSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin", "BuildSettings NetworkSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin", "choose_parts=choose_split", "cistron.chromatin.splits"),
    ("cistron.chromatin", "ChromatinModel", "cistron.chromatin.fitted_model"),
    ("cistron.chromatin", "load_chromatin_model save_chromatin_model", "cistron.chromatin.saving"),
    ("cistron.chromatin.settings", "RidgeSettings=MarkRidgeSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin.build", "BuildSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin.design_settings", "DesignSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin.epigenesis_settings", "EpigenesisSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin.design", "DesignSettings", "cistron.chromatin.settings"),
    ("cistron.chromatin.design", "edited_blocks", "cistron.chromatin.design_tables"),
    ("cistron.chromatin.model", "ChromatinModel", "cistron.chromatin.fitted_model"),
    (
        "cistron.chromatin.model",
        "KIND load_chromatin_model save_chromatin_model",
        "cistron.chromatin.saving",
    ),
    ("cistron.chromatin.parts", "Parts=TwoAxisSplit choose_parts=choose_split", "cistron.chromatin.splits"),
    (
        "cistron.chromatin.parts",
        "HeldOut TEST_CHROMOSOMES TRAINING_CHROMOSOMES VALIDATION_CHROMOSOMES",
        "cistron.chromatin.splits",
    ),
    ("cistron.chromatin.prune", "prune_edits", "cistron.chromatin.design_pruning"),
    ("cistron.chromatin.fitting", "Task=FittingData", "cistron.chromatin.fitting"),
    ("cistron.chromatin.layers", "Rows=CellTypeRows", "cistron.chromatin.layers"),
    ("cistron.networks.inputs", "perturbation_quality quality_summary", "cistron.networks.quality"),
    ("cistron.networks.effects", "wasserstein wasserstein_groups", "cistron.networks.wasserstein_distance"),
    ("cistron.networks.combined", "DefaultSettings", "cistron.networks.settings"),
    ("cistron.networks.trees", "TreesSettings", "cistron.networks.settings"),
    ("cistron.networks.catran_batches", "CatranSettings", "cistron.networks.settings"),
    ("cistron.networks.catran_batches", "CellBatches=CatranBatches", "cistron.networks.catran_batches"),
    (
        "cistron.evaluation.edges",
        "EdgeEvaluation cells_label evaluate_edges random_network",
        "cistron.evaluation.edges.evaluate",
    ),
    (
        "cistron.evaluation.edge_interventions",
        "HeldOutCells Pair edge_effects false_omission_rate held_out_cells paths permutation_null significant",
        "cistron.evaluation.edges.interventions",
    ),
    (
        "cistron.evaluation.edge_models",
        "EdgeModel FRACTIONS TrainingRegime call_model challenge_score evaluate_model training_rows",
        "cistron.evaluation.edges.causalbench",
    ),
    (
        "cistron.evaluation.edge_references",
        "score_against_reference wilson",
        "cistron.evaluation.edges.references",
    ),
    (
        "cistron.evaluation.edge_rows",
        "EdgeEvaluationSettings against_cells against_reference against_truth",
        "cistron.evaluation.edges.rows",
    ),
    (
        "cistron.evaluation.edge_truth",
        "average_precision average_precision_interval calibration_curve calibration_error judge precision_at roc_area "
        "sign_accuracy",
        "cistron.evaluation.edges.truth",
    ),
    ("cistron.evaluation.edges_output", "write_edge_evaluation", "cistron.evaluation.edges.run"),
]


@pytest.mark.parametrize(
    ("old_place", "old", "new_place", "new"),
    [
        (old_place, old, new_place, new or old)
        for old_place, names, new_place in MOVED
        for old, _, new in (name.partition("=") for name in names.split())
    ],
)
def test_an_old_name_is_the_new_one(old_place, old, new_place, new):
    assert getattr(import_module(old_place), old) is getattr(import_module(new_place), new)


def test_a_split_is_still_taken_as_parts():
    """``fit(parts=...)`` and ``data.parts`` were the words for what is ``split`` now."""
    import inspect

    from cistron.chromatin import ExpressionPredictor
    from cistron.chromatin.fitting_data import FittingData

    assert "parts" in inspect.signature(ExpressionPredictor.fit).parameters
    data = FittingData(None, "a split", 0, None, 0, None, {})
    assert data.parts == "a split"
