"""A batch of 64 cells x 2,000 genes, forward and backward, one attention layer of 10 heads of 32: ours beside the peers.

Peers: exact attention written out in torch, torch's own ``nn.MultiheadAttention``, and performer-pytorch where it is installed
(``benchmarks/peers/performer-pytorch.txt``). Cells go through in parts of 8, as memory allows on a small machine; two parts are timed.
"""

import importlib.util
import time
from collections.abc import Callable

import torch
from torch import nn

from cistron.cells.attention import Attention

CELLS, PART, GENES, WIDTH, HEADS, LATENTS = 64, 8, 2000, 320, 10, 512


class WrittenOut(Attention):
    """Exact attention with its matrix of weights formed."""

    def forward(
        self, targets: torch.Tensor, sources: torch.Tensor, present: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Attend."""
        query = self._split(self.query(targets))
        key, value = (self._split(part) for part in self.key_value(sources).chunk(2, dim=-1))
        weights = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)
        attended = (weights @ value).transpose(1, 2)
        return self.output(attended.reshape(*targets.shape))


class Perceiver(nn.Module):
    """Latents read genes; genes ask latents."""

    def __init__(self) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(LATENTS, WIDTH) * 0.1)
        self.read, self.ask = Attention(WIDTH, HEADS), Attention(WIDTH, HEADS)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Both steps."""
        memory = self.read(self.latents.expand(len(tokens), -1, -1), tokens)
        return self.ask(tokens, memory)


def seconds(function: Callable[[torch.Tensor], torch.Tensor], tokens: torch.Tensor) -> float:
    """Forward and backward of the whole batch, from two of its eight parts after one to warm up."""
    function(tokens[:PART]).square().mean().backward()
    started = time.perf_counter()
    for start in (0, PART):
        function(tokens[start : start + PART]).square().mean().backward()
    return (time.perf_counter() - started) * CELLS / (2 * PART)


def main() -> None:
    """Print seconds and the ratio to written-out exact attention."""
    torch.manual_seed(0)
    tokens = torch.randn(CELLS, GENES, WIDTH)
    exact, performer = Attention(WIDTH, HEADS), Attention(WIDTH, HEADS, performer=True)
    written, theirs = WrittenOut(WIDTH, HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    rows: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "peer: exact, written out in torch": lambda x: written(x, x),
        "peer: torch nn.MultiheadAttention": lambda x: theirs(x, x, x, need_weights=False)[0],
        "ours: exact": lambda x: exact(x, x),
        "ours: perceiver, 512 latents": Perceiver(),
        "ours: performer": lambda x: performer(x, x),
    }
    if importlib.util.find_spec("performer_pytorch"):
        from performer_pytorch import SelfAttention

        rows["peer: performer-pytorch"] = SelfAttention(dim=WIDTH, heads=HEADS, dim_head=32, causal=False)
    else:
        print("performer-pytorch is not installed")
    print(f"{CELLS} cells x {GENES:,} genes, {torch.get_num_threads()} threads, float32")
    base = 0.0
    for name, function in rows.items():
        taken = seconds(function, tokens)
        base = base or taken
        print(f"  {name:36} {taken:6.1f} s   {base / taken:.2f} times as fast as written out", flush=True)
