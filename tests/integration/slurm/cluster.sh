#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, below one folder and on ports of its own; nothing outside is touched.
#
#   cluster.sh start FOLDER        starts munged, slurmctld and two slurmd, and waits until both nodes are idle
#   cluster.sh kill NODE FOLDER    ends a node as a power cut does: its slurmd, and all that runs below it, by SIGKILL
#   cluster.sh revive NODE FOLDER  starts the slurmd of a node again
#   cluster.sh stop FOLDER         ends everything
#
# Then `export SLURM_CONF=FOLDER/slurm.conf`, and sbatch, squeue and the others talk to it. Needs Debian's slurm-wlm and
# munge (slurmd built with --enable-multiple-slurmd). As root the nodes have host names of their own (node1, node2).
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

folder=$(realpath -m "${@: -1}")
export SLURM_CONF="$folder/slurm.conf"
nodes=(node1 node2)

# Three ports in a row that nobody listens on.
free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 30000))
    for n in 0 1 2; do
      (: <"/dev/tcp/127.0.0.1/$((port + n))") 2>/dev/null && continue 2
    done
    echo "$port"
    return
  done
  echo "no free ports" >&2
  exit 1
}

configure() {
  local host port user
  host=$(hostname -s)
  port=$(free_port)
  user=$(id -un)
  mkdir -p "$folder"/{munge,state,log}
  # munged wants to be sure that nobody else writes here.
  chmod 755 "$folder"
  chmod 700 "$folder/munge"
  (umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
  cat >"$SLURM_CONF" <<CONF
ClusterName=ijepa
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=20
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
PlugStackConfig=/dev/null
JobRequeue=1
# A requeued job waits until the credentials of its last start have expired (cred_expire, usually two minutes).
# A node that does not answer is given up after seconds, not minutes; one that comes back is taken at once.
SlurmdTimeout=5
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=node[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

# A host name of its own where the system lets us: then a lock of node1 is one of another machine to node2.
start_node() {
  if unshare --uts true 2>/dev/null; then
    unshare --uts sh -c 'hostname "$1" && exec slurmd -N "$1"' sh "$1"
  else
    slurmd -N "$1"
  fi
}

start() {
  configure
  munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" 2>"$folder/munge/errors"
  slurmctld -c
  for node in "${nodes[@]}"; do start_node "$node"; done
  for _ in {1..60}; do
    [ "$(sinfo --noheader --Node --format=%T 2>/dev/null | sort -u)" = idle ] && return
    sleep 0.5
  done
  tail -n 20 "$folder"/log/* >&2
  echo "the nodes do not become idle" >&2
  exit 1
}

# All that runs below a process, deepest last.
below() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    below "$child"
  done
}

kill_node() {
  local victims step
  victims=$(cat "$folder/$1.pid")
  # A slurmstepd is no child of its slurmd, but writes to the same log.
  for step in $(pgrep slurmstepd || true); do
    if readlink "/proc/$step"/fd/* 2>/dev/null | grep -q -x -F "$folder/log/$1.log"; then
      victims="$victims $step $(below "$step")"
    fi
  done
  # shellcheck disable=SC2086 # a list of numbers
  kill -KILL $victims
}

stop() {
  local pid
  scancel --signal=KILL --full --user="$(id -un)" 2>/dev/null || true
  scancel --user="$(id -un)" 2>/dev/null || true
  for pid in "$folder"/node*.pid "$folder/slurmctld.pid" "$folder/munge/pid"; do
    [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
  done
}

case "$1" in
start) start ;;
kill) kill_node "$2" ;;
revive) start_node "$2" ;;
stop) stop ;;
*)
  sed -n 's/^# \{0,1\}//p' "$0" | head -n 8
  exit 2
  ;;
esac
