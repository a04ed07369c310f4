"""A process that has imported Snakemake and the libraries of the steps, and forks for each command.

A toy grid is fifty processes, and each spends most of its seconds on importing torch or Snakemake.
Here `python -m ...` is a small client, which hands arguments, environment, folder and open files to
this server; the child that it forks does what a new interpreter would do, and its exit code is
the client's. What is to be killed from outside is started without it (`running.command`).
"""

import array
import atexit
import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENT = """#!{python} -SE
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect({path!r})
about = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
s.sendmsg([len(about).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
          array.array("i", [0, 1, 2]))])
s.sendall(about)
sys.exit(int(s.makefile().read() or 70))
"""
IMPORTED = (
    "snakemake.cli", "torch", "transformers.models.xlm_roberta.modeling_xlm_roberta", "datasets",
    "pandas", "pyarrow.parquet", "safetensors.torch", "matplotlib.pyplot", "tokenizers",
)  # fmt: skip


class Server:
    """The server, and the folder of its `python`."""

    def __init__(self, folder: Path) -> None:
        """Start it; it ends with this process."""
        self.path = folder / "socket"
        self.python = folder / "python"
        self.python.write_text(CLIENT.format(python=sys.executable, path=str(self.path)))
        self.python.chmod(0o755)
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.path, self.python], env=os.environ | threads
        )
        limit = time.monotonic() + 120
        while not self.path.exists():
            assert self.process.poll() is None and time.monotonic() < limit
            time.sleep(0.02)

    def run(self, args: list[str], cwd: Path, env: dict[str, str], limit: int) -> tuple[int, str]:
        """Run `python ARGS`; return exit code and output, 124 if it took longer than `limit` s."""
        out = self.path.with_name(f"out{time.monotonic_ns()}")
        with open(out, "w+b") as file, open(os.devnull, "rb") as null:
            client = subprocess.Popen(
                [self.python, *args], cwd=cwd, env=env, stdin=null, stdout=file, stderr=file
            )
            try:
                code = client.wait(limit)
            except subprocess.TimeoutExpired:
                client.kill()
                code = 124
            file.seek(0)
            text = file.read().decode()
        out.unlink()
        return code, text

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def serve(path: str, python: str) -> None:
    """Accept clients until this process is killed."""
    for name in IMPORTED:
        with contextlib.suppress(ImportError):
            __import__(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{path}.new")
    server.listen(64)
    os.rename(f"{path}.new", path)
    while True:
        client, _ = server.accept()
        if os.fork():
            client.close()
            continue
        server.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _answer(client, python)


def _answer(client: socket.socket, python: str) -> None:
    """Do what one client asks, in a child; send its exit code."""
    files = array.array("i")
    data, ancillary, _, _ = client.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
    files.frombytes(ancillary[0][2])
    size, text = int.from_bytes(data, "big"), b""
    while len(text) < size:
        text += client.recv(size - len(text))
    args, cwd, environ = json.loads(text)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        client.sendall(str(os.waitstatus_to_exitcode(status) & 255).encode())
        os._exit(0)
    client.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.executable = python
    if "PYTHONPATH" in environ:
        sys.path[:0] = environ["PYTHONPATH"].split(os.pathsep)
    _python(args)


def _python(args: list[str]) -> None:
    """Do what the interpreter does with `-m MODULE ...` or `-c CODE ...`."""
    code = 0
    try:
        if args[0] == "-m":
            sys.argv = args[1:]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(args[1], run_name="__main__", alter_sys=True)
        elif args[0] == "-c":
            sys.argv = ["-c", *args[2:]]
            exec(compile(args[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            raise SystemExit(f"warm: cannot do {args}")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # temporary folders, which `_exit` would leave
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(*sys.argv[1:])
