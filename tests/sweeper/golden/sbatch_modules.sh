#!/bin/bash

# Parameters
#SBATCH --account=rl
#SBATCH --array=0-2%2
#SBATCH --chdir=/shared/results/code/0123456789abcdef
#SBATCH --comment='sweep-0123456789 /shared/results'
#SBATCH --cpus-per-task=64
#SBATCH --export=HOME,LANG,LOGNAME,PATH,SHELL,USER,HF_HOME,HF_HUB_OFFLINE,HF_ENDPOINT,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,http_proxy,https_proxy,no_proxy,WANDB_BASE_URL,WANDB_ENTITY,WANDB_MODE,MLFLOW_TRACKING_URI,SWANLAB_MODE,REWARDS_SANDBOX_LEVEL,REWARDS_SANDBOX_URL,REWARDS_ALLOW_UNISOLATED
#SBATCH --gpus-per-node=8
#SBATCH --job-name=sweep-0123456789
#SBATCH --mem=800GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=/shared/results/slurm/logs/%A_%a_0_log.out
#SBATCH --partition=h100
#SBATCH --requeue
#SBATCH --signal=USR2@120
#SBATCH --time=3600

# setup
export SLURM_EXPORT_ENV=ALL
SWEEPER_JOB_BEGAN=$(date +%s)
export SWEEPER_JOB_BEGAN
sourced=${#BASH_SOURCE[@]} failed=0
trap 'failed=$?; [ ${#BASH_SOURCE[@]} -gt "$sourced" ] || { echo "cluster.setup failed (exit code $failed): $BASH_COMMAND" >&2; exit "$failed"; }' ERR
. /etc/profile || true
module load cuda
. "$HOME/envs/sweeper/bin/activate"
trap - ERR
set +e

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /shared/results/slurm/logs/%A_%a_%t_log.out --kill-on-bad-exit=1 --cpus-per-task=64 sh -c 'trap "" USR2; exec "$@"' sh python -I -S -c 'frozen_start.py' /shared/results/code/0123456789abcdef/code.json 0123 -m sweeper.launch.slurm.element /shared/results sweep-0123456789


# teardown
code=$?
element="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
if [ -e /shared/results/slurm/requeue/"$element" ]; then
  rm -f /shared/results/slurm/requeue/"$element"
  scontrol requeue "$element"
fi
exit "$code"
