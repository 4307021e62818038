#!/usr/bin/env bash
#SBATCH --job-name=cistron-score
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --output=score_%j.log
# After the array: sbatch --dependency=afterok:JOB score.sh
set -euo pipefail
exec cistron evaluate gwas array/*.h5ad --traits magma_results/ --workers "${SLURM_CPUS_PER_TASK:-1}" --threads 1 --output array/gwas
