#!/bin/sh
#SBATCH --job-name={{.Title}}
#SBATCH --array=0-{{.Last}}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --output=%x-%a.log
# All nodes must see the two folders below. A task that was killed is submitted again, such as
# sbatch --array=2 FILE. When all are done, this draws the figures and keeps the results:
#   QHLAB_STORE={{q .Store}} go run ./notebooks run {{q .Notebook}}
cd {{q .Project}} || exit
export QHLAB_STORE={{q .Store}} GOMAXPROCS="$SLURM_CPUS_PER_TASK"
exec go run ./notebooks run {{q .Notebook}} -shard "$SLURM_ARRAY_TASK_ID/{{.Tasks}}"
