"""Fit the transformer: its starting values, and batches of cells, some of whose genes are hidden, drawn from blocks of the file."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import torch
from scipy import sparse

from cistron.cells.bilinear import fit_bilinear
from cistron.cells.expression_heads import fit_bins
from cistron.cells.inputs import Cells
from cistron.cells.kernel_ridge import KernelRidge, fit_kernel_ridge
from cistron.cells.linear import LinearModel
from cistron.cells.method_input import Fitted, MethodInput
from cistron.cells.normalisation import Normalisation
from cistron.cells.settings import BilinearSettings, TransformerSettings
from cistron.cells.training_data import gene_folds
from cistron.cells.transformer_model import CellTransformer, FittedTransformer, visible_library
from cistron.errors import InputError
from cistron.runtime.seeds import random_generator, seed_for
from cistron.training import fit
from cistron.training.processes import dealt

CHUNK = 64  # consecutive cells that are read in one go
BUFFER = 32  # chunks that are shuffled together


class HiddenGeneBatches:
    """Batches of cells, some of whose genes are hidden; epoch by epoch, the same draws for the same seed.

    Parameters
    ----------
    cells
        Cells of the training genes only.
    rows
        Numbers of the cells to draw from, ascending.
    share, fold
        Share of each gene in the counts; not used for hiding, which is at random.
    settings
        Sizes of a batch.
    seed
        Seed of the draws.
    """

    def __init__(
        self, cells: Cells, rows: np.ndarray, share: np.ndarray, settings: TransformerSettings, seed: int
    ) -> None:
        self.cells, self.rows, self.share, self.settings, self.seed = cells, rows, share, settings, seed
        self.normalisation = Normalisation(cells.scale, np.arange(len(cells.genes)))

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.settings.steps_per_epoch

    def __call__(self, epoch: int) -> "_Epoch":
        """Batches of an epoch."""
        return _Epoch(self, epoch)

    def batches(
        self, epoch: int, steps: int, rank: int = 0, ranks: int = 1
    ) -> Iterator[dict[str, torch.Tensor]]:
        """Draw ``steps`` batches.

        Parameters
        ----------
        epoch
            Number of the epoch.
        steps
            Batches.
        rank
            Number of this process, from 0.
        ranks
            Number of processes, each of which reads cells of its own.
        """
        own = () if ranks == 1 else (rank,)
        random = random_generator(self.seed, "transformer batches", epoch, *own)
        made = turn = 0
        while made < steps:
            order = None
            if ranks > 1:  # the same in all processes
                order = random_generator(self.seed, "transformer order", epoch, turn)
            for block in self._shuffled(random, order, rank, ranks):
                yield self._batch(block, random)
                made += 1
                if made == steps:
                    return
            turn += 1

    def can_be_divided(self, ranks: int) -> bool:
        """Whether there is a whole buffer of cells for each of several processes."""
        return len(self.rows) >= CHUNK * BUFFER * ranks

    def _shuffled(
        self,
        random: np.random.Generator,
        order_random: np.random.Generator | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> Iterator[sparse.csr_matrix]:
        """Cells in blocks of a batch: chunks in random order, shuffled within a buffer of chunks."""
        size = self.settings.batch_cells
        chunks = [self.rows[start : start + CHUNK] for start in range(0, len(self.rows), CHUNK)]
        order = (order_random or random).permutation(len(chunks))
        for first in range(rank * BUFFER, len(order), ranks * BUFFER):
            buffer = sparse.vstack(
                [self._read(chunks[number]) for number in order[first : first + BUFFER]], format="csr"
            )
            mixed = random.permutation(buffer.shape[0])
            for start in range(0, len(mixed), size):
                rows = mixed[start : start + size]
                if len(rows) == size or len(mixed) < size:
                    yield buffer[rows]

    def _read(self, rows: np.ndarray) -> sparse.csr_matrix:
        low = int(rows[0])
        return self.cells.take(self.cells.rows.block(low, int(rows[-1]) + 1)[rows - low])

    def _batch(self, block: sparse.csr_matrix, random: np.random.Generator) -> dict[str, torch.Tensor]:
        genes, settings = block.shape[1], self.settings
        number = settings.targets or max(1, genes // 5)
        hidden = np.sort(random.permutation(genes)[: min(number, genes // 2)])
        visible = np.ones(genes, dtype=bool)
        visible[hidden] = False
        if settings.context:  # some of the others too, so that no gene is always there to lean on
            visible &= random.random(genes) < random.uniform(0.5, 1.0)
        library = visible_library(block, self.normalisation, visible, self.share)
        expression = self.normalisation.expression(block, library).toarray()
        return {
            "shown": torch.from_numpy(expression),
            "visible": torch.from_numpy(visible),
            "hidden": torch.from_numpy(hidden),
            "expression": torch.from_numpy(expression[:, hidden]),
            "counts": torch.from_numpy(block[:, hidden].toarray()),
            "library": torch.from_numpy(library.astype(np.float32)),
        }


class _Epoch:
    """Batches of one epoch; of several processes each reads cells of its own, where there are enough of them."""

    def __init__(self, batches: HiddenGeneBatches, epoch: int) -> None:
        self._batches, self._epoch = batches, epoch

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        return self._batches.batches(self._epoch, len(self._batches))

    def for_rank(self, rank: int, ranks: int) -> Iterator[dict[str, torch.Tensor]]:
        """Batches of one of several processes.

        Parameters
        ----------
        rank
            Number of the process, from 0.
        ranks
            Number of processes.
        """
        if self._batches.can_be_divided(ranks):
            return self._batches.batches(self._epoch, len(self._batches) // ranks, rank, ranks)
        return dealt(self, rank, ranks)


def _start(inputs: MethodInput, settings: TransformerSettings) -> CellTransformer:
    """Build the model with what is known of genes before training."""
    data, moments, features = inputs.data, inputs.moments, inputs.features.values
    genes = data.cells.genes
    rate = np.log(moments.share + 0.1 / len(moments.share) / max(moments.cells, 1))
    own = settings.own or inputs.features.one_hot
    mapped = np.zeros((len(features), settings.dimension if own else 0))
    spread = features[: len(genes)].std(axis=0)
    start = _bilinear_start(inputs, settings)
    rank = start.anchors.shape[1] if settings.low_rank else 0
    facts = {
        "features": features[:, :0] if own else features / np.where(spread > 1e-9, spread, 1.0),
        "mapped": mapped,
        "rate": rate,
        "rate_unseen": _regress(inputs, rate[:, None]).predict(features)[:, 0],
        "mean": moments.mean,
        "deviation": np.sqrt(moments.variance),
        "share": moments.share,
        "anchors": start.anchors[:, :rank],
        "noise": start.noise,
        "information": (start.anchors**2 / start.noise[:, None]).sum(axis=1),
    }
    tensors = {name: torch.from_numpy(np.asarray(value, dtype=np.float32)) for name, value in facts.items()}
    tensors["fold"] = torch.from_numpy(gene_folds(genes, inputs.seed))
    sample = next(iter(HiddenGeneBatches(data.cells, data.rows, moments.share, settings, inputs.seed)(-1)))
    bins = fit_bins(sample["shown"], settings.bins, settings.weighted_bins)
    if bins.values.numel() < settings.bins and settings.head == "bins":
        raise InputError(
            f"{settings.bins} classes of expression need as many different values; use fewer or another --head"
        )
    torch.manual_seed(seed_for(inputs.seed, "transformer weights") % 2**31)
    model = CellTransformer(tensors, bins, settings)
    if model.network.own is not None:
        # A rare gene's expression moves in proportion to its rate, a common one's with the logarithm: loadings on logarithmic rates.
        loadings = start.loadings[: len(genes)] / (1.02 - np.exp(-moments.mean))[:, None]
        size = np.sqrt((loadings**2).mean(axis=0) + 1e-12)
        with torch.no_grad():
            model.network.own.weight.mul_(0.1)
            model.network.own.weight[:, : len(size)] = torch.from_numpy((loadings / size).astype(np.float32))
            if model.network.low_rank is not None:
                model.network.low_rank.weight[:rank].copy_(
                    torch.diag(torch.from_numpy(size.astype(np.float32)))
                )
    return model


def _bilinear_start(inputs: MethodInput, settings: TransformerSettings) -> LinearModel:
    """The bilinear model that the transformer starts from and whose factors choose the genes that it reads."""
    model = fit_bilinear(inputs, BilinearSettings(factors=settings.dimension)).model
    assert isinstance(model, LinearModel)
    return model


def _regress(inputs: MethodInput, outputs: np.ndarray) -> KernelRidge:
    genes = inputs.data.cells.genes
    features = inputs.features.values[: len(genes)]
    return fit_kernel_ridge(features, outputs, genes, inputs.data.split.genes, seed=inputs.seed)


def _regress_vectors(inputs: MethodInput, model: CellTransformer) -> KernelRidge | None:
    """Regress the vectors that seen genes learned, and their rates, on features; genes never seen take what it predicts."""
    if model.network.own is None:
        return None
    learned = model.network.own.weight.detach().numpy().astype(np.float64)
    fitted = _regress(inputs, np.column_stack([model.rate.numpy(), learned]))
    features = inputs.features.values
    vectors = fitted.predict(features)[:, 1:]
    if not features.shape[1]:
        vectors[:] = np.nan  # one-hot: the rows of genes never seen are untrained
    model.mapped.copy_(torch.from_numpy(vectors.astype(np.float32)))
    return fitted


def _loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    assert isinstance(model, CellTransformer)
    return model.loss(batch)


def fit_transformer(inputs: MethodInput, settings: TransformerSettings) -> Fitted:
    """Fit on training cells x training genes, watching validation cells where there are any.

    Parameters
    ----------
    inputs
        What a method is given.
    settings
        Network and fit.

    Raises
    ------
    InputError
        If there are fewer different values than classes of expression.
    """
    data = inputs.data
    with torch.random.fork_rng():
        model = _start(inputs, settings)
    batches = HiddenGeneBatches(data.cells, data.rows, inputs.moments.share, settings, inputs.seed)
    validation = None
    if inputs.validation is not None:
        cells, rows = inputs.validation
        seen = HiddenGeneBatches(cells, rows, inputs.moments.share, settings, inputs.seed + 1)
        validation = list(seen.batches(0, min(10, settings.steps_per_epoch)))
    report = fit(
        model,
        _loss,
        batches,
        validation=validation,
        settings=settings.fit,
        optimiser=lambda module: torch.optim.AdamW(
            module.parameters(),
            lr=settings.fit.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=settings.fit.weight_decay,
        ),
        directory=inputs.directory,
        identity={"settings": asdict(settings), "data": data.cells.name, "shape": list(data.shape)},
        split=data.split.genes,
        trained_on=data.cells.genes,
        seed=inputs.seed,
        description="fitting the transformer",
    )
    return Fitted(FittedTransformer(model), _regress_vectors(inputs, model), report.as_dictionary())


CellBatches = HiddenGeneBatches  # its name before 0.2; kept until 0.3
