"""Base edits from a design: a world in which motifs set marks and marks set expression; edits are found, few, and allowed."""

import numpy as np
import pytest
import torch

from cistron.errors import InputError
from cistron.genome import one_hot
from cistron.sequence.base_edits import edit_bases
from cistron.sequence.settings_edits import BaseEditSettings

MOTIF = "TGACTCAG"


def marks(sequences: torch.Tensor) -> torch.Tensor:
    """Marks of two bins from how well the motif fits at its best place: the more letters, the more mark."""
    motif = torch.from_numpy(one_hot(np.array(["ACGT".index(letter) for letter in MOTIF], np.uint8)))
    fits = torch.nn.functional.conv1d(sequences.transpose(1, 2), motif.T[None])[:, 0]  # [sequence, place]
    halves = fits.split([60, fits.shape[1] - 60], dim=1)
    return torch.stack([torch.logsumexp(4 * (half - 6), dim=1) for half in halves], dim=1)


def expression(values: torch.Tensor) -> torch.Tensor:
    """What marks set: the first bin raises, the second lowers."""
    return torch.nn.functional.softplus(values[:, 0] - 0.5 * values[:, 1])


def damaged() -> np.ndarray:
    """DNA with a motif that lacks two letters."""
    codes = np.random.default_rng(3).integers(0, 4, 128).astype(np.uint8)
    codes[20:28] = ["ACGT".index(letter) for letter in "TGTCTCTG"]
    return codes


def encoded(codes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(one_hot(codes))[None]


def whole_motif() -> tuple[np.ndarray, np.ndarray]:
    """The damaged DNA, and by how much its marks change when the motif is whole."""
    before = damaged()
    after = before.copy()
    after[20:28] = ["ACGT".index(letter) for letter in MOTIF]
    return before, (marks(encoded(after)) - marks(encoded(before)))[0].numpy()


@pytest.mark.parametrize("search", ["gradient", "ledidi"])
def test_the_two_letters_that_the_motif_lacks_are_found_and_expression_follows(search):
    if search == "ledidi":
        pytest.importorskip("ledidi", reason="ledidi, an optional extra, is not installed")
    codes, change = whole_motif()
    settings = BaseEditSettings(search=search, tolerance=0.9, steps=300, edit_price=0.01, batch_size=16)
    found = edit_bases(marks, codes, change, np.ones(128, bool), settings)
    assert found.share >= 0.9
    assert len(found.positions) <= 3
    # both judges: the marks of the edited DNA, and the expression that they set
    moved = marks(encoded(found.codes)) - marks(encoded(codes))
    assert np.abs(moved[0].numpy() - change).max() < 0.2 * np.abs(change).max()
    wanted = expression(marks(encoded(codes)) + torch.from_numpy(change)[None])
    assert float(expression(marks(encoded(found.codes)))) == pytest.approx(float(wanted), rel=0.1)
    assert float(expression(marks(encoded(codes)))) < 0.5 * float(wanted)


def test_protected_bases_stay_and_another_place_is_found():
    codes, change = whole_motif()
    editable = np.ones(128, bool)
    editable[20:28] = False
    found = edit_bases(
        marks, codes, change, editable, BaseEditSettings(tolerance=0.7, maximum_edits=12, candidates=48)
    )
    assert (found.codes[20:28] == codes[20:28]).all()
    assert len(found.positions) > 2
    assert found.share > 0.5


def test_changes_that_are_not_needed_are_taken_back():
    from cistron.sequence.base_edits import TargetError, _pruned

    codes, change = whole_motif()
    wasteful = codes.copy()
    wasteful[20:28] = ["ACGT".index(letter) for letter in MOTIF]
    wasteful[100:104] = (wasteful[100:104] + 1) % 4
    pruned = _pruned(TargetError(marks, codes, change), codes, wasteful, BaseEditSettings(tolerance=0.9))
    assert (
        np.flatnonzero(pruned != codes).tolist()
        == np.flatnonzero(codes[20:28] != wasteful[20:28]).__add__(20).tolist()
    )


def test_nothing_to_do_or_nowhere_to_do_it_is_an_error():
    codes, change = whole_motif()
    with pytest.raises(InputError, match="no base may change"):
        edit_bases(marks, codes, change, np.zeros(128, bool))
    with pytest.raises(InputError, match="wants no change"):
        edit_bases(marks, codes, 0 * change, np.ones(128, bool))
    with pytest.raises(InputError, match="window must begin before it ends"):
        BaseEditSettings(window=(5, 5))
