"""ESM-2 of random weights at the shape of the 150M model: cistron beside transformers, the same weights and proteins.

``CISTRON_PEER_TRANSFORMERS`` is a folder with benchmarks/peers/transformers.txt; without it the peer is left out.
"""

import os
import sys
import time
import warnings

import numpy as np
import torch

from cistron.sequence.esm2 import TOKENS, Esm2
from cistron.sequence.protein_embed import embed_proteins
from cistron.sequence.saving_esm2 import their_names
from cistron.sequence.settings import Esm2Settings, ProteinEmbeddingSettings

SHAPE = Esm2Settings(layers=30, width=640, heads=20, hidden=2560)
PROTEINS, SEED = 10, 0


def proteins() -> list[str]:
    """Made-up proteins with lengths like human ones, at most 1,022 residues."""
    generator = np.random.default_rng(SEED)
    lengths = np.clip(np.exp(generator.normal(np.log(415), 0.7, PROTEINS)), 30, 1022).astype(int)
    return ["".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), length)) for length in lengths]


def peer(model: Esm2, given: list[str], batch: int) -> tuple[np.ndarray, float]:
    """Means of the last layer by transformers in the order given, ``batch`` at a time, and seconds."""
    sys.path.insert(0, os.environ["CISTRON_PEER_TRANSFORMERS"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import EsmConfig, EsmModel

        config = EsmConfig(
            vocab_size=33, hidden_size=SHAPE.width, num_hidden_layers=SHAPE.layers, num_attention_heads=SHAPE.heads,
            intermediate_size=SHAPE.hidden, position_embedding_type="rotary", token_dropout=True, mask_token_id=32,
            pad_token_id=1, emb_layer_norm_before=False, max_position_embeddings=1026, layer_norm_eps=1e-5,
        )  # fmt: skip
        theirs = EsmModel(config, add_pooling_layer=False).eval()
    state = model.state_dict()
    theirs.load_state_dict({name: state[ours] for ours, name in their_names(SHAPE).items()}, strict=False)
    found = []
    start = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(given), batch):
            part = given[first : first + batch]
            tokens = torch.full((len(part), max(map(len, part)) + 2), 1)
            for row, protein in enumerate(part):
                tokens[row, : len(protein) + 2] = torch.tensor(
                    [0, *(TOKENS.index(letter) for letter in protein), 2]
                )
            hidden = theirs(input_ids=tokens, attention_mask=(tokens != 1).long()).last_hidden_state
            found += [hidden[row, 1 : len(protein) + 1].mean(0).numpy() for row, protein in enumerate(part)]
    return np.stack(found), time.perf_counter() - start


def main() -> None:
    """Print seconds and the largest difference."""
    torch.manual_seed(SEED)
    model, given = Esm2(SHAPE).eval(), proteins()
    residues = sum(map(len, given))
    print(
        f"{PROTEINS} proteins, {residues:,} residues, 150M shape, random weights, {torch.get_num_threads()} threads"
    )
    embed_proteins(model, given[:1])
    start = time.perf_counter()
    ours = embed_proteins(model, given, ProteinEmbeddingSettings())
    seconds = time.perf_counter() - start
    print(f"cistron, batches by length             {seconds:6.1f} s  {residues / seconds:6.0f} residues/s")
    if "CISTRON_PEER_TRANSFORMERS" in os.environ:
        for batch in (1, 5):
            theirs, taken = peer(model, given, batch)
            apart = np.abs(ours - theirs).max() / np.abs(theirs).max()
            print(
                f"transformers 4.46.3, {batch} at a time         {taken:6.1f} s  {residues / taken:6.0f} residues/s  "
                f"cistron/transformers {seconds / taken:.2f}  largest relative difference {apart:.0e}"
            )
