"""Saved models as folders of the Hugging Face hub: the card's first lines are YAML that its library reads."""

from pathlib import Path

import pytest
import torch
import yaml

from cistron.sequence import EnformerSettings
from cistron.sequence.random_model import write_random_model
from cistron.training import ModelCard, load_model, save_model
from cistron.training.hub import front_matter

TEXT = 'licence of "mine": no resale'


def _save(folder, licence):
    card = ModelCard("toy", "A toy.", licence=licence, evaluation={"R2 on toys": 0.5})
    save_model(folder, torch.nn.Linear(3, 2), kind="Toy model", settings={"width": 2}, card=card)
    return folder


def _header(folder):
    before, header, body = (folder / "README.md").read_text().split("---\n", 2)
    assert before == ""
    assert body.startswith("\n# ")
    return yaml.safe_load(header)


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        (TEXT, {"license": "other", "license_name": TEXT}),
        ("", {}),
    ],
)
def test_the_card_starts_with_what_the_hub_reads(tmp_path, licence, expected):
    header = _header(_save(tmp_path / "model", licence))
    assert header == {"library_name": "cistron", "tags": ["toy-model", "biology", "genomics"], **expected}


def test_tags_are_words():
    assert front_matter(["DNA: to tracks!"])[3] == "- dna-to-tracks"


def test_dna_models_have_it_too(tmp_path):
    settings = EnformerSettings(
        channels=24, depth=1, heads=2, key_size=4, length=2048, crop=1, tracks={"human": 2}
    )
    write_random_model(tmp_path / "model", settings, seed=1)
    assert _header(tmp_path / "model")["tags"] == ["enformer", "dna", "biology", "genomics"]


def test_the_library_of_the_hub_takes_the_folder(tmp_path):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with the extra 'test'")
    folder = _save(tmp_path / "model", "CC BY 4.0")
    card = hub.ModelCard.load(folder / "README.md")
    assert card.data.library_name == "cistron"
    assert card.data.license == "cc-by-4.0"
    assert "| R2 on toys | 0.5 |" in card.text
    # what an upload of the folder would send: every file of it
    sent = set(hub.utils.filter_repo_objects([path.name for path in folder.iterdir()]))
    assert sent == {"README.md", "model.safetensors", "settings.json"}
    # a folder as a download gives it (links into a cache) is read
    cached = tmp_path / "cache"
    cached.mkdir()
    for path in list(folder.iterdir()):
        Path(cached / path.name).symlink_to(path)
    assert load_model(cached, "Toy model").settings == {"width": 2}
