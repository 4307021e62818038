"""Names that public modules, classes and functions had before they moved; they stay importable until 0.3."""

from importlib import import_module

import pytest

# old place: (new place, {old name: new name}); a name that stayed the same is given once
OLD_NAMES = {
    "cistron.cells.bilinear": ("cistron.cells.settings", {"BilinearSettings": "BilinearSettings"}),
    "cistron.cells.commands": (
        "cistron.cells.settings",
        {"PredictRequest": "PredictRequest", "TrainRequest": "TrainRequest"},
    ),
    "cistron.cells.features": (
        "cistron.cells.inputs_features",
        {name: name for name in ("ONE_HOT", "GeneFeatures", "fit_scaling", "join_values", "read_features")},
    ),
    "cistron.cells.fitting": ("cistron.cells.baselines", {"baseline_model": "baseline_model"}),
    "cistron.cells.gene_map": (
        "cistron.cells.kernel_ridge",
        {"GeneMap": "KernelRidge", "fit_gene_map": "fit_kernel_ridge"},
    ),
    "cistron.cells.gene_table": (
        "cistron.cells.inputs_gene_places",
        {"genes_of": "genes_of", "read_gene_table": "read_gene_table"},
    ),
    "cistron.cells.own_part": ("cistron.cells.shrinkage", {"shrink_to_features": "shrink_to_features"}),
    "cistron.cells.problem": (
        "cistron.cells.method_input",
        {"Fitted": "Fitted", "Predictor": "Predictor", "Problem": "MethodInput"},
    ),
    "cistron.cells.ridge": ("cistron.cells.settings", {"RidgeSettings": "CellTypeRidgeSettings"}),
    "cistron.cells.splits": ("cistron.cells.settings", {"SplitSettings": "SplitSettings"}),
    "cistron.cells.transformer_fit": (
        "cistron.cells.transformer_fit",
        {"CellBatches": "HiddenGeneBatches"},
    ),
    "cistron.cells.transformer_settings": (
        "cistron.cells.settings",
        {"COUNT_HEADS": "COUNT_HEADS", "TransformerSettings": "TransformerSettings"},
    ),
    "cistron.sequence.esm2": (
        "cistron.sequence.saving_esm2",
        {name: name for name in ("load_esm2", "read_settings", "their_names")},
    ),
    "cistron.sequence.gene_sites": (
        "cistron.sequence.inputs_gene_sites",
        {
            name: name
            for name in ("GeneSites", "annotation_build", "gene_sites", "read_gene_sites", "site_bins")
        },
    ),
    "cistron.sequence.gene_tracks": ("cistron.sequence.gene_tracks", {"GeneTracks": "GeneTrackRequest"}),
    "cistron.sequence.gene_vectors": (
        "cistron.sequence.settings",
        {"GeneEmbeddingSettings": "GeneEmbeddingSettings"},
    ),
    "cistron.sequence.inference": ("cistron.sequence.settings", {"InferenceSettings": "InferenceSettings"}),
    "cistron.sequence.names": (
        "cistron.sequence.weight_layouts",
        {name: name for name in ("bare_path", "deepmind_entries", "enformer_pytorch_entries", "is_weight")},
    ),
    "cistron.sequence.protein_embed": (
        "cistron.sequence.settings",
        {"ProteinEmbeddingSettings": "ProteinEmbeddingSettings"},
    ),
    "cistron.sequence.protein_fasta": (
        "cistron.sequence.inputs_proteins",
        {name: name for name in ("Protein", "ProteinGenes", "parse_header", "read_proteins")},
    ),
    "cistron.sequence.run_settings": (
        "cistron.sequence.settings",
        {name: name for name in ("GeneEmbeddingSettings", "InferenceSettings", "ProteinEmbeddingSettings")},
    ),
    "cistron.sequence.track_table": (
        "cistron.sequence.inputs_tracks",
        {name: name for name in ("cage_tracks", "choose_tracks", "load_track_table", "read_track_table")},
    ),
    "cistron.sequence.weight_sources": (
        "cistron.sequence.weight_sources",
        {name: name for name in ("Source", "convert", "entries_of")},
    ),
    "cistron.sequence.weights": (
        "cistron.sequence.saving",
        {name: name for name in ("convert_weights", "load_weights", "read_description", "save_weights")},
    ),
    "cistron.sequence": (
        "cistron.sequence.saving",
        {"load_weights": "load_weights", "save_weights": "save_weights"},
    ),
}


@pytest.mark.parametrize("place", OLD_NAMES)
def test_an_old_name_is_the_new_one(place):
    moved_to, names = OLD_NAMES[place]
    old, new = import_module(place), import_module(moved_to)
    for name, now in names.items():
        assert getattr(old, name) is getattr(new, now), name
    with pytest.raises(AttributeError):
        old.nothing_of_this_name  # noqa: B018


def test_functions_that_became_methods(tmp_path):
    from cistron.cells.saved import load_cells_model, save_cells_model

    from cistron.cells import CellExpression
    from cistron.cells.splits import read_split
    from cistron.errors import InputError

    with pytest.raises(InputError, match="no model was fitted yet"):
        save_cells_model(CellExpression(), tmp_path / "model")
    with pytest.raises(InputError, match="does not exist"):
        read_split(tmp_path / "split.json")
    with pytest.raises(InputError):
        load_cells_model(tmp_path / "model")


def test_attributes_of_a_fitted_estimator_keep_their_old_names():
    from cistron.cells import CellExpression
    from cistron.cells.fitted_model import CellModel

    model = CellExpression()
    nothing = dict.fromkeys(CellModel.__dataclass_fields__)
    model.fitted = CellModel(**{**nothing, "predictor": "a", "feature_regression": "b"})
    assert (model.model, model.gene_map, model.predictor, model.feature_regression) == ("a", "b", "a", "b")
    with pytest.raises(AttributeError):
        model.nothing_of_this_name  # noqa: B018
