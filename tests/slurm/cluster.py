"""A private SLURM on one machine: munged, slurmctld and two slurmd on loopback, fake GPUs.

As root, without systemd, in about two seconds; all its state is in one folder, and only processes
that were started here are ended. From Debian's packages (tested with slurm-wlm 22.05.8).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
SHARDS = 4  # of a GPU
# Node -> GPUs. Processors and memory are declared, not there: what is tested is who gets what.
NODES = {"n1": 2, "n2": 1}
CPUS, MEMORY_MB = 8, 200_000
# The plugin takes every SLURM_* variable from its job steps, SLURM_CONF too, so the file must also
# be where it is looked for without.
LINK = Path("/etc/slurm/slurm.conf")

CONF = """\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge/socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={state}/ctld
SlurmdSpoolDir={state}/spool-%n
SlurmctldPidFile={state}/run/slurmctld.pid
SlurmdPidFile={state}/run/slurmd-%n.pid
SlurmctldLogFile={state}/log/slurmctld.log
SlurmdLogFile={state}/log/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SlurmdTimeout=30
KillWait=2
GresTypes=gpu,shard
PartitionName=gpu Nodes=ALL Default=YES MaxTime=1440 DefaultTime=10 DefMemPerCPU=100 State=UP
"""


class Cluster:
    """The cluster, up between `up` and `down`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.conf = state / "etc/slurm.conf"
        self.gone: set[str] = set()  # nodes whose slurmd was killed

    def up(self) -> None:
        """Start everything and wait until all nodes are idle."""
        for name in ("etc", "munge", "ctld", "log", "run", "dev"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        self._configure()
        key = self.state / "munge/munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        munge = self.state / "munge"
        self._start(
            "munged", "--force", f"--socket={munge}/socket", f"--key-file={key}",
            f"--pid-file={self.state}/run/munged.pid", f"--seed-file={munge}/seed",
            f"--log-file={self.state}/log/munged.log",
        )  # fmt: skip
        self._start("slurmctld", "-f", self.conf, "-i")
        for node in NODES:
            self.start(node)
        self.wait_idle()

    def start(self, node: str) -> None:
        """Start the slurmd of a node (again)."""
        (self.state / f"spool-{node}").mkdir(exist_ok=True)
        self._start("slurmd", "-f", self.conf, "-N", node)
        self.gone.discard(node)

    def kill(self, node: str) -> None:
        """End the slurmd of a node as a crash does; the steps that it started live on."""
        pid = _of(self.state, f"slurmd-{node}")
        assert pid, f"no slurmd of {node}"
        os.kill(pid, signal.SIGKILL)
        self.gone.add(node)

    def wait_idle(self, limit: float = 60) -> None:
        """Wait until every node answers and has no job."""
        deadline = time.monotonic() + limit
        while (states := self.ask("sinfo", "-hN", "-o", "%t").split()) != ["idle"] * len(NODES):
            # They fork before they can fail, so that they started proves nothing.
            fatal = [
                line
                for log in (self.state / "log").iterdir()
                for line in log.read_text(errors="replace").splitlines()
                if "fatal:" in line
            ]
            assert not fatal and time.monotonic() < deadline, (states, fatal)
            time.sleep(0.1)

    def ask(self, *command: str) -> str:
        """Return what a command of SLURM prints; nothing if the controller does not answer."""
        done = subprocess.run(
            command, env=self.environment(), text=True, capture_output=True, timeout=60, check=False
        )
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Return the environment in which commands find this cluster."""
        return os.environ | {"SLURM_CONF": str(self.conf)}

    def jobs(self) -> list[dict[str, str]]:
        """Return the jobs that are waiting or running."""
        names = ("id", "name", "comment", "state", "node")
        lines = self.ask("squeue", "-h", "-o", "%i\t%j\t%k\t%T\t%N").splitlines()
        return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]

    def down(self) -> None:
        """End the jobs, then what was started, and forget everything."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.ask("scancel", "--user=root", "-Q")
            deadline = time.monotonic() + 15
            while self.jobs() and time.monotonic() < deadline:
                time.sleep(0.1)
        for name in (*(f"slurmd-{node}" for node in NODES), "slurmctld", "munged"):
            self._stop(name)
        for process in Path("/proc").glob("[0-9]*"):  # a step's daemon carries no path
            with contextlib.suppress(OSError):
                ours = f"SLURM_CONF={self.conf}".encode() in (process / "environ").read_bytes()
                if ours and (process / "comm").read_text().strip() == "slurmstepd":
                    os.kill(int(process.name), signal.SIGKILL)
        if LINK.is_symlink() and os.readlink(LINK) == str(self.conf):
            LINK.unlink()
        shutil.rmtree(self.state, ignore_errors=True)

    def _configure(self) -> None:
        ports = _free_ports(1 + len(NODES))
        host, gpu = socket.gethostname().split(".")[0], 0
        lines, gres = [CONF.format(host=host, port=ports[0], state=self.state)], []
        for port, (node, gpus) in zip(ports[1:], NODES.items(), strict=True):
            lines.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS}"
                f" RealMemory={MEMORY_MB} Gres=gpu:fake:{gpus},shard:{SHARDS * gpus}"
                " State=UNKNOWN\n"
            )
            files = [self.state / f"dev/gpu{gpu + i}" for i in range(gpus)]
            for file in files:  # a plain file would be scheduled, but CUDA_VISIBLE_DEVICES not set
                file.symlink_to("/dev/null")
            span = f"[{gpu}-{gpu + gpus - 1}]" if gpus > 1 else str(gpu)
            gres.append(f"NodeName={node} Name=gpu Type=fake File={self.state}/dev/gpu{span}\n")
            gres.append(f"NodeName={node} Name=shard Count={SHARDS * gpus}\n")
            gpu += gpus
        self.conf.write_text("".join(lines))
        (self.state / "etc/gres.conf").write_text("".join(gres))
        LINK.parent.mkdir(exist_ok=True)
        if abandoned(LINK):
            LINK.unlink()
        LINK.symlink_to(self.conf)

    def _start(self, *command: str | Path) -> None:
        with open(self.state / f"log/{command[0]}.start", "a") as log:
            subprocess.run(
                list(map(str, command)), env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, check=True, timeout=60,
            )  # fmt: skip

    def _stop(self, name: str) -> None:
        """End a process that was started here."""
        with contextlib.suppress(OSError):
            for attempt in range(100):
                pid = _of(self.state, name)
                if pid is None:
                    return
                if attempt in (0, 90):
                    os.kill(pid, signal.SIGKILL if attempt else signal.SIGTERM)
                time.sleep(0.1)


def abandoned(link: Path) -> bool:
    """Return whether a link is of a cluster of this module that is no more: a machine that is
    switched off leaves the link, and the folder with the numbers of processes that are gone."""
    if not link.is_symlink():
        return False
    state = Path(os.readlink(link)).parents[1]
    return not _of(state, "slurmctld")


def _of(state: Path, name: str) -> int | None:
    """Return the process that was started here under a name, if it is there: the folder is on its
    command line."""
    try:
        pid = int((state / f"run/{name}.pid").read_text())
        return pid if str(state) in Path(f"/proc/{pid}/cmdline").read_text() else None
    except (OSError, ValueError):
        return None


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
