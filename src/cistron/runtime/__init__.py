"""How work runs: files written whole or not at all, progress, shards, seeds, provenance."""

from cistron.runtime.files import (
    atomic_directory,
    atomic_path,
    check_writable,
    record_path,
    require_space,
    sha256_of,
)
from cistron.runtime.outputs import Output, claim_outputs
from cistron.runtime.progress import (
    Progress,
    listening,
    plain,
    progress_enabled,
    say,
    set_progress,
    show,
    track,
)
from cistron.runtime.provenance import RunRecord
from cistron.runtime.seeds import random_generator, seed_for
from cistron.runtime.shards import run_each, run_on, run_shards
from cistron.runtime.threads import limit_threads

__all__ = [
    "Output",
    "Progress",
    "RunRecord",
    "atomic_directory",
    "atomic_path",
    "check_writable",
    "claim_outputs",
    "limit_threads",
    "listening",
    "plain",
    "progress_enabled",
    "random_generator",
    "record_path",
    "require_space",
    "run_each",
    "run_on",
    "run_shards",
    "say",
    "seed_for",
    "set_progress",
    "sha256_of",
    "show",
    "track",
]
