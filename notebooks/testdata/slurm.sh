#!/bin/sh
# A Slurm of one node on this machine, for tests: slurm.sh start FOLDER | stop FOLDER. It needs root and the
# Debian packages slurm-wlm and munge, and leaves FOLDER/slurm.conf for SLURM_CONF.
set -eu
dir=$2 host=$(hostname -s)
export SLURM_CONF="$dir/slurm.conf"
if [ "$1" = stop ]; then
	scancel --signal=KILL --full -u root || true # what a failed test has left
	for name in slurmd slurmctld munged; do
		pid=$(cat "$dir/$name.pid" 2>/dev/null) && kill "$pid" || continue
		for _ in $(seq 300); do
			kill -0 "$pid" 2>/dev/null || continue 2
			sleep 0.1
		done
		echo "$name does not end" >&2
		exit 1
	done
	exit 0
fi
mkdir -p "$dir/state" "$dir/spool" /run/munge
chown munge:munge /run/munge /etc/munge /var/log/munge /var/lib/munge
if [ ! -f /etc/munge/munge.key ]; then
	mungekey --create
	chown munge:munge /etc/munge/munge.key
fi
port=$((20000 + $$ % 20000)) # not that of a Slurm which runs here already
cat >"$SLURM_CONF" <<C
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
AuthType=auth/munge
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(free -m | awk '/^Mem:/ {print $2}') State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
C
if ! munge -n >/dev/null 2>&1; then
	su -s /bin/sh munge -c munged
	cp /run/munge/munged.pid "$dir/munged.pid"
fi
slurmctld
slurmd
for _ in $(seq 600); do
	! sinfo -h -o %T 2>/dev/null | grep -q idle || exit 0
	sleep 0.1
done
cat "$dir/slurmctld.log" "$dir/slurmd.log" >&2
exit 1
