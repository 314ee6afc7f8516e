# Ends a process, whose number it reads first, with all that it has started, and removes the
# folder $1 when its input closes. A program that needs time to end has $2 tenths of a second
# from SIGTERM on. What it leaves then is no longer among its descendants, so their groups are
# listed before. If it is dead already, they are found by their session, which only Linux tells.
trap '' HUP INT TERM; PATH=$PATH:/usr/bin:/bin
groups() {
	ps -A -o pid= -o ppid= -o pgid= -o sess= | awk -v root="$pid" '{ up[$1] = $2; group[$1] = $3; session[$1] = $4 }
		END { for (p in up) for (q = p; q > 1; q = up[q]) if (q == root || session[q] == root) { print "-" group[p]; break } }'
}
read -r pid; while read -r _; do :; done
if [ "$pid" ]; then
	n=$2 family=$(groups)
	[ "$n" = 0 ] || kill -s TERM "$pid" || n=0
	while [ "$n" -gt 0 ] && kill -s 0 "$pid"; do sleep 0.1; n=$((n-1)); done
	kill -s KILL -- "-$pid" $family $(groups)
fi
rm -rf "$1" || { sleep 0.2; rm -rf "$1"; }
