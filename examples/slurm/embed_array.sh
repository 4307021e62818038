#!/usr/bin/env bash
#SBATCH --job-name=cistron-embed
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=01:00:00
#SBATCH --output=embed_%A_%a.log
# One task a matrix: sbatch --array=1-3 embed_array.sh. A task that was killed or ran out of time goes on when it is submitted again; one that
# was finished ends at once. SLURM sends SIGTERM before the time is up, which cistron takes as an interruption: what is finished is kept.
set -euo pipefail
matrices=(tissues.h5ad cell_lines.h5ad hpa.parquet)

matrix=${matrices[$((SLURM_ARRAY_TASK_ID - 1))]}
name=${matrix%.*}
mkdir -p array
exec cistron omics embed "$matrix" --dimensions 16 --threads "${SLURM_CPUS_PER_TASK:-1}" --output "array/$name.h5ad" --quiet --json
