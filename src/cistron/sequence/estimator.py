"""What a user calls: one object for predicting tracks and embedding genes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.formats.tracks import Tracks
from cistron.genome import PersonSettings, check_regions, open_genome, read_regions
from cistron.methods import Estimator
from cistron.sequence.embed import discard_shards, embed_annotation
from cistron.sequence.gene_sites import read_gene_sites
from cistron.sequence.gene_tracks import wanted_tracks
from cistron.sequence.predict import predict_regions
from cistron.sequence.run_settings import GeneEmbeddingSettings
from cistron.sequence.settings import EnformerSettings, settings_from
from cistron.sequence.track_table import cage_tracks, choose_tracks, load_track_table, strand_pairs
from cistron.sequence.weights import load_weights, read_description


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
    def track_table(self) -> pd.DataFrame:
        """Tracks of the model, one row per track."""
        return load_track_table(Path(self.weights), self._model_settings().tracks)

    def settings_in_force(self) -> GeneEmbeddingSettings:
        """Settings that were given, or the defaults."""
        return self.settings or GeneEmbeddingSettings()

    def predict(
        self,
        genome: str | Path,
        regions: str | Path,
        output: str | Path,
        *,
        tracks: Mapping[str, Sequence[str]] | None = None,
        build: str | None = None,
        person: PersonSettings | None = None,
    ) -> Tracks:
        """Predict tracks around the regions of a BED file and write them as a store.

        Parameters
        ----------
        genome
            FASTA.
        regions
            BED.
        output
            Folder of the store.
        tracks
            For each organism what :func:`cistron.sequence.track_table.choose_tracks` understands; all human tracks when
            absent.
        build
            Genome build, where chromosome 1 does not tell it.
        person
            Whose DNA takes the place of the reference.
        """
        wanted = {"human": ()} if tracks is None else tracks
        table = self.track_table
        chosen = {organism: choose_tracks(table, organism, words) for organism, words in wanted.items()}
        inference = self.settings_in_force().inference
        model = load_weights(Path(self.weights), inference.precision, str(inference.torch_device()))
        with open_genome(genome, build, person=person) as opened:
            return predict_regions(
                model,
                opened,
                check_regions(read_regions(regions), opened),
                output,
                track_table=table,
                tracks=chosen,
                settings=inference,
                model_path=Path(self.weights),
            )

    def embed(
        self,
        genome: str | Path,
        annotation: str | Path,
        output: str | Path,
        *,
        genes: Sequence[str] = (),
        biotypes: Sequence[str] = ("protein_coding",),
        cage: np.ndarray | None = None,
        output_tracks: str | Path | None = None,
        tracks: Sequence[str] = (),
        person: PersonSettings | None = None,
        build: str | None = None,
        workers: int = 1,
        threads: int | None = None,
    ) -> anndata.AnnData:
        """Embed the genes of a GTF and write the gene embedding.

        Parameters
        ----------
        genome, annotation
            FASTA and GTF of one build.
        output
            ``.h5ad`` to write.
        genes, biotypes
            Which genes; empty takes all.
        cage
            Numbers of the tracks that choose the bin; those described as CAGE when absent.
        output_tracks, tracks
            Tracks store to write as well, one value a gene and track, and which tracks; all when empty.
        person
            Whose DNA takes the place of the reference.
        build
            Genome build, where chromosome 1 does not tell it.
        workers
            Local processes.
        threads
            Threads of each; all cores when absent.
        """
        from cistron.formats import write_gene_embedding

        organism, table = self.settings_in_force().organism, self.track_table
        choosing = cage_tracks(table, organism) if cage is None else cage
        wanted = None if output_tracks is None else wanted_tracks(output_tracks, table, organism, tracks)
        with open_genome(genome, build, person=person) as opened:
            opened.require_build()
            found = read_gene_sites(annotation, opened, biotypes=biotypes, genes=genes)
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
                workers=workers,
                threads=threads,
            )
        embedding.uns["cistron"]["seed"] = self.seed
        write_gene_embedding(embedding, output)
        discard_shards(output)
        return embedding
