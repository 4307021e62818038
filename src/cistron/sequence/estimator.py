"""What a user calls: predict tracks and embed genes by their DNA, embed genes by their proteins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats import write_gene_embedding
from cistron.formats.tracks import Tracks
from cistron.genome import Genome, PersonalGenome, PersonSettings, check_regions, open_genome, read_regions
from cistron.genome.sequence import Ambiguous
from cistron.methods import Estimator
from cistron.runtime import check_writable, say
from cistron.sequence.embed import discard_shards, embed_annotation
from cistron.sequence.gene_tracks import wanted_tracks
from cistron.sequence.inputs_gene_sites import read_gene_sites
from cistron.sequence.inputs_proteins import ProteinGenes, read_proteins
from cistron.sequence.inputs_tracks import cage_tracks, choose_tracks, load_track_table, strand_pairs
from cistron.sequence.predict import predict_regions
from cistron.sequence.protein_embed import embed_protein_genes
from cistron.sequence.saving import load_weights, read_description
from cistron.sequence.saving_esm2 import read_settings
from cistron.sequence.settings import (
    EnformerSettings,
    GeneEmbeddingSettings,
    ProteinEmbeddingSettings,
    settings_from,
)


class DnaEmbedder(Estimator):
    """Tracks and gene embeddings from DNA with the weights of a model folder.

    Parameters
    ----------
    weights
        Model folder of ``cistron sequence weights`` or ``initialise``.
    settings
        How genes become vectors, and how the model is run.
    seed
        Kept in the output; nothing here is random.

    Examples
    --------
    >>> embedder = DnaEmbedder("model")  # doctest: +SKIP
    >>> embedder.embed("hg38.fa.gz", "gencode.gtf.gz", "dna.h5ad")  # doctest: +SKIP
    """

    def __init__(
        self, weights: str | Path, settings: GeneEmbeddingSettings | None = None, seed: int = 0
    ) -> None:
        self.weights = weights
        self.settings = settings
        self.seed = seed
        self._model_settings()  # raises where the folder is none of a model

    def _model_settings(self) -> EnformerSettings:
        return settings_from(read_description(Path(self.weights))["settings"])

    @property
    def organisms(self) -> list[str]:
        """Organisms whose tracks the model predicts."""
        return list(self._model_settings().tracks)

    @property
    def track_table(self) -> pd.DataFrame:
        """Tracks of the model, one row per track."""
        return load_track_table(Path(self.weights), self._model_settings().tracks)

    def settings_in_force(self) -> GeneEmbeddingSettings:
        """Settings that were given, or the defaults."""
        return self.settings or GeneEmbeddingSettings()

    def predict(
        self,
        genome: str | Path | Genome,
        regions: str | Path,
        output: str | Path,
        *,
        tracks: Mapping[str, Sequence[str]] | None = None,
        length: int | None = None,
        build: str | None = None,
        ambiguous: Ambiguous = "error",
        person: PersonSettings | None = None,
    ) -> Tracks:
        """Predict tracks around the regions of a BED file and write them as a store.

        Parameters
        ----------
        genome
            FASTA, or a genome that is open already.
        regions
            BED.
        output
            Folder of the store.
        tracks
            For each organism what :func:`cistron.sequence.inputs_tracks.choose_tracks` understands; all human tracks when
            absent.
        length
            Base pairs of input; that of the model when absent.
        build, ambiguous, person
            As of :func:`cistron.genome.open_genome`, where ``genome`` is a file.
        """
        wanted = {"human": ()} if tracks is None else tracks
        table = self.track_table
        chosen = {organism: choose_tracks(table, organism, words) for organism, words in wanted.items()}
        inference = self.settings_in_force().inference
        with _opened(genome, build, ambiguous, person) as opened:
            opened.require_build()
            places = check_regions(read_regions(regions), opened)
            model = load_weights(Path(self.weights), inference.precision, str(inference.torch_device()))
            return predict_regions(
                model,
                opened,
                places,
                output,
                track_table=table,
                tracks=chosen,
                settings=inference,
                length=length,
                model_path=Path(self.weights),
            )

    def embed(
        self,
        genome: str | Path | Genome,
        annotation: str | Path,
        output: str | Path,
        *,
        genes: Sequence[str] = (),
        biotypes: Sequence[str] = ("protein_coding",),
        cage: Sequence[str] | np.ndarray | None = None,
        output_tracks: str | Path | None = None,
        tracks: Sequence[str] = (),
        build: str | None = None,
        ambiguous: Ambiguous = "error",
        person: PersonSettings | None = None,
        allow_loss: bool = False,
        shard_size: int = 16,
        workers: int = 1,
        threads: int | None = None,
        scheduler: str | None = None,
    ) -> anndata.AnnData:
        """Embed genes and write the gene embedding.

        Parameters
        ----------
        genome
            FASTA, or a genome that is open already.
        annotation
            Where genes and transcripts lie, of the same build.
        output
            ``.h5ad`` to write.
        genes, biotypes
            Which genes; empty takes all.
        cage
            Tracks that choose the bin: numbers, or what :func:`cistron.sequence.inputs_tracks.choose_tracks` understands;
            those described as CAGE when empty or absent.
        output_tracks, tracks
            Tracks store to write as well, one value a gene and track, and which tracks; all when empty.
        build, ambiguous, person
            As of :func:`cistron.genome.open_genome`, where ``genome`` is a file.
        allow_loss
            Go on when more than 5% of the genes are not found, or lie on chromosomes that the genome lacks.
        shard_size
            Genes of a shard, the unit that is never redone.
        workers, threads, scheduler
            As of :func:`cistron.runtime.run_shards`.
        """
        output = _embedding_file(output)
        if len(tracks) and output_tracks is None:
            raise InputError("--tracks are written to --output-tracks; give it, too")
        organism, table = self.settings_in_force().organism, self.track_table
        words = [] if cage is None else [str(word) for word in cage]
        choosing = choose_tracks(table, organism, words) if words else cage_tracks(table, organism)
        wanted = None if output_tracks is None else wanted_tracks(output_tracks, table, organism, tracks)
        with _opened(genome, build, ambiguous, person) as opened:
            opened.require_build()
            found = read_gene_sites(annotation, opened, biotypes=biotypes, genes=genes, allow_loss=allow_loss)
            embedding = embed_annotation(
                found,
                opened,
                Path(self.weights),
                choosing,
                output,
                settings=self.settings_in_force(),
                annotation=annotation,
                tracks=wanted,
                pairs=strand_pairs(table, organism),
                shard_size=shard_size,
                workers=workers,
                threads=threads,
                scheduler=scheduler,
            )
        return _write(embedding, output, self.seed)


class ProteinEmbedder(Estimator):
    """Gene embeddings from proteins with the weights of ESM-2.

    Parameters
    ----------
    weights
        Folder of ESM-2 weights as on Hugging Face: ``config.json``, ``model.safetensors``.
    settings
        How proteins become the vector of a gene.
    seed
        Kept in the output; nothing here is random.

    Examples
    --------
    >>> embedder = ProteinEmbedder("esm2_t33_650M_UR50D")  # doctest: +SKIP
    >>> embedder.embed("gencode.pc_translations.fa.gz", "protein.h5ad")  # doctest: +SKIP
    """

    def __init__(
        self, weights: str | Path, settings: ProteinEmbeddingSettings | None = None, seed: int = 0
    ) -> None:
        self.weights = weights
        self.settings = settings
        self.seed = seed
        read_settings(weights)  # raises where the folder is none of a model

    def embed(
        self,
        proteins: str | Path | ProteinGenes,
        output: str | Path,
        *,
        shard_size: int = 64,
        workers: int = 1,
        threads: int | None = None,
        scheduler: str | None = None,
    ) -> anndata.AnnData:
        """Embed the genes of a protein FASTA and write the gene embedding.

        Parameters
        ----------
        proteins
            FASTA, or proteins that were read already.
        output
            ``.h5ad`` to write.
        shard_size
            Genes of a shard, the unit that is never redone.
        workers, threads, scheduler
            As of :func:`cistron.runtime.run_shards`.
        """
        output = _embedding_file(output)
        if not isinstance(proteins, ProteinGenes):
            proteins = read_proteins(proteins)
            for remark in proteins.remarks:
                say(remark)
        embedding = embed_protein_genes(
            proteins,
            self.weights,
            output,
            settings=self.settings,
            source=proteins.path,
            shard_size=shard_size,
            workers=workers,
            threads=threads,
            scheduler=scheduler,
        )
        return _write(embedding, output, self.seed)


@contextmanager
def _opened(
    genome: str | Path | Genome, build: str | None, ambiguous: Ambiguous, person: PersonSettings | None
) -> Iterator[Genome]:
    """Open a genome for the block, and say what was read of a person; one that is open already stays open."""
    if isinstance(genome, Genome):
        yield genome
        return
    with open_genome(genome, build, ambiguous, person) as opened:
        if isinstance(opened, PersonalGenome):
            say(opened.variants.summary())
        yield opened


def _embedding_file(output: str | Path) -> Path:
    if Path(output).suffix != ".h5ad":
        raise InputError(f"a gene embedding is written as .h5ad. Given: {Path(output).name}")
    return check_writable(output)


def _write(embedding: anndata.AnnData, output: Path, seed: int) -> anndata.AnnData:
    embedding.uns["cistron"]["seed"] = seed
    write_gene_embedding(embedding, output)
    discard_shards(output)
    return embedding
