"""How work runs: files written whole or not at all, progress, shards, seeds, provenance."""

from cistron.runtime.files import atomic_directory, atomic_path, check_writable, sha256_of
from cistron.runtime.progress import Progress, progress_enabled, say, set_progress, track
from cistron.runtime.provenance import RunRecord
from cistron.runtime.seeds import random_generator, seed_for
from cistron.runtime.shards import run_shards
from cistron.runtime.threads import limit_threads

__all__ = [
    "Progress",
    "RunRecord",
    "atomic_directory",
    "atomic_path",
    "check_writable",
    "limit_threads",
    "progress_enabled",
    "random_generator",
    "run_shards",
    "say",
    "seed_for",
    "set_progress",
    "sha256_of",
    "track",
]
