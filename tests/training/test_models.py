"""Saved models: the round trip, the card, and every way in which a folder can be wrong."""

from dataclasses import dataclass

import pytest
import torch

from cistron.errors import InputError
from cistron.training import ModelCard, load_model, load_weights, save_model, settings_from


@dataclass(frozen=True)
class _Inner:
    rate: float = 0.5


@dataclass(frozen=True)
class _Settings:
    width: int = 4
    layers: tuple[int, ...] = (2, 3)
    names: list[str] | None = None
    inner: _Inner = _Inner()


CARD = ModelCard("toy", "A toy.", evaluation={"R2 on toys": 0.5}, limits="Everything.")


def _save(path, **changes):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    given = {"kind": "toy", "settings": _Settings(), "card": CARD, "extra": {"genes": ["a", "b"]}} | changes
    save_model(path, model, **given)
    return model


def test_round_trip(tmp_path):
    model = _save(tmp_path / "model")
    saved = load_model(tmp_path / "model", "toy")
    other = torch.nn.Linear(3, 2)
    load_weights(other, saved.weights)
    assert torch.equal(model.weight, other.weight)
    assert settings_from(_Settings, saved.settings) == _Settings()
    assert saved.extra == {"genes": ["a", "b"]}
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| R2 on toys | 0.5 |" in card
    assert "- weights: 8\n" in card
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "README.md", "model.safetensors", "settings.json"
    ]  # fmt: skip


def test_tied_weights_are_saved(tmp_path):
    tied = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 2, bias=False))
    tied[1].weight = tied[0].weight
    save_model(tmp_path / "model", tied, kind="toy", settings={}, card=CARD)
    load_weights(tied, load_model(tmp_path / "model").weights)


def test_a_failed_write_leaves_the_old_model(tmp_path):
    _save(tmp_path / "model")
    loop: dict = {}
    loop["loop"] = loop
    with pytest.raises(ValueError, match="Circular"):
        _save(tmp_path / "model", extra=loop)
    assert load_model(tmp_path / "model").extra == {"genes": ["a", "b"]}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (torch.nn.Linear(5, 2), r"1 tensors have another shape \(weight is \(2, 3\), expected \(2, 5\)\)"),
        (torch.nn.Linear(3, 2, bias=False), r"1 keys are unknown to the model \(bias\)"),
        (torch.nn.Sequential(torch.nn.Linear(3, 2)), r"2 keys are absent \(0.bias, 0.weight\)"),
    ],
)
def test_keys_that_do_not_match_are_named(tmp_path, module, message):
    _save(tmp_path / "model")
    with pytest.raises(InputError, match=message):
        load_weights(module, load_model(tmp_path / "model").weights)


def test_folders_that_are_no_models_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"model.safetensors is absent"):
        load_model(tmp_path)
    _save(tmp_path / "model")
    with pytest.raises(InputError, match="is of kind 'toy'; expected 'vdtf'"):
        load_model(tmp_path / "model", "vdtf")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:20])
    with pytest.raises(InputError, match="may be truncated"):
        load_model(tmp_path / "model")
    (tmp_path / "model" / "settings.json").write_text("{")
    with pytest.raises(InputError, match="may be truncated"):
        load_model(tmp_path / "model")


def test_an_unknown_setting_is_named():
    with pytest.raises(InputError, match="'depth' is not a setting of _Settings"):
        settings_from(_Settings, {"depth": 3})
