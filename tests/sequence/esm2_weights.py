"""Random weights of a small ESM-2 in the Hugging Face layout, the same on every machine; and the golden made of them.

``python tests/sequence/esm2_weights.py`` writes ``esm2_golden.json`` with transformers (4.46.3 made the stored one) as the
oracle; tests need neither transformers nor trained weights.
"""

import json
import sys
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("esm2_golden.json")
CONFIG = {
    "model_type": "esm",
    "vocab_size": 33,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "position_embedding_type": "rotary",
    "token_dropout": True,
    "emb_layer_norm_before": False,
    "layer_norm_eps": 1e-5,
    "mask_token_id": 32,
    "pad_token_id": 1,
    "max_position_embeddings": 1026,
}
PROTEINS = ("MKTAYIAKQR", "MXBUZOLAGVSERTIDPKQNFYHWC", "ACDEFGHIKLMNPQRSTVWY" * 3)


def random_state(config: dict[str, object] = CONFIG, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights by name, large enough that attention depends on content and position."""
    generator = np.random.default_rng(seed)
    width, hidden = int(config["hidden_size"]), int(config["intermediate_size"])  # type: ignore[call-overload]
    shapes: dict[str, tuple[int, ...]] = {"embeddings.word_embeddings.weight": (33, width)}
    for layer in range(int(config["num_hidden_layers"])):  # type: ignore[call-overload]
        start = f"encoder.layer.{layer}."
        for name in ("attention.LayerNorm", "LayerNorm"):
            shapes |= {f"{start}{name}.weight": (width,), f"{start}{name}.bias": (width,)}
        for name in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            shapes |= {f"{start}{name}.weight": (width, width), f"{start}{name}.bias": (width,)}
        shapes |= {
            f"{start}intermediate.dense.weight": (hidden, width),
            f"{start}intermediate.dense.bias": (hidden,),
        }
        shapes |= {f"{start}output.dense.weight": (width, hidden), f"{start}output.dense.bias": (width,)}
    shapes |= {"encoder.emb_layer_norm_after.weight": (width,), "encoder.emb_layer_norm_after.bias": (width,)}
    return {
        f"esm.{name}": (
            generator.normal(0, 2.0 / np.sqrt(shape[-1]) if len(shape) == 2 else 0.3, size=shape)
            + (1.0 if "LayerNorm.weight" in name or "norm_after.weight" in name else 0.0)
        ).astype(np.float32)
        for name, shape in shapes.items()
    }


def write_model(folder: Path, config: dict[str, object] = CONFIG, **changes: object) -> Path:
    """Write config.json and model.safetensors."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    save_file(random_state(config), folder / "model.safetensors")
    return folder


def main() -> None:
    """Write the golden."""
    import torch
    from transformers import EsmConfig, EsmModel

    model = EsmModel(EsmConfig(**CONFIG), add_pooling_layer=False).eval()
    state = {name.removeprefix("esm."): torch.from_numpy(value) for name, value in random_state().items()}
    _, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]
    golden = {}
    with torch.inference_mode():
        for protein in PROTEINS:
            numbers = torch.tensor([[0, *(tokens.index(letter) for letter in protein), 2]])
            hidden = model(input_ids=numbers, attention_mask=torch.ones_like(numbers)).last_hidden_state[0]
            golden[protein] = {
                "mean": hidden[1:-1].mean(0).tolist(),
                "first": hidden[1].tolist(),
                "last": hidden[-2].tolist(),
            }
    GOLDEN.write_text(json.dumps(golden) + "\n")
    sys.stdout.write(f"wrote {GOLDEN}\n")


if __name__ == "__main__":
    main()
