#!/bin/sh
# A Slurm of one node on this machine, for tests: slurm.sh start FOLDER | stop FOLDER. It needs root and the
# Debian packages slurm-wlm and munge, and leaves FOLDER/slurm.conf for SLURM_CONF.
set -eu
dir=$2 host=$(hostname -s)
if [ "$1" = stop ]; then
	for pid in slurmd slurmctld munged; do
		[ ! -f "$dir/$pid.pid" ] || kill "$(cat "$dir/$pid.pid")"
	done
	exit 0
fi
mkdir -p "$dir/state" "$dir/spool" /run/munge
chown munge:munge /run/munge /etc/munge /var/log/munge /var/lib/munge
if [ ! -f /etc/munge/munge.key ]; then
	mungekey --create
	chown munge:munge /etc/munge/munge.key
fi
cat >"$dir/slurm.conf" <<C
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
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
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
C
export SLURM_CONF="$dir/slurm.conf"
if ! munge -n >/dev/null 2>&1; then
	su -s /bin/sh munge -c munged
	cp /run/munge/munged.pid "$dir/munged.pid"
fi
slurmctld
slurmd
for _ in $(seq 120); do
	! sinfo -h -o %T 2>/dev/null | grep -q idle || exit 0
	sleep 0.5
done
cat "$dir/slurmctld.log" "$dir/slurmd.log" >&2
exit 1
