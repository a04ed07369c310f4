"""The mark: an input that is newer than what a node has made, so that Snakemake makes it again.

Snakemake makes a finished job again where an input is newer than its outputs. Whether a node is to
be made again is known from its record; one whose record is wrong gets the mark as an input more. It
lies in a folder of its own under /tmp, because a dry-run changes nothing in the results.
"""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path


class Mark:
    """A file that is as new as it has to be."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.started = False

    def newer_than(self, outputs: Iterable[str]) -> str:
        """Return the path of a mark that is newer than all of these files."""
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="xstilts-"))
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        path = self.folder / ("made-for-another-spec" if not self.started else "while-running")
        made = [Path(output) for output in outputs if Path(output).exists()]
        if self.started:  # a run may change times: a mark from the future would fail its job
            for output in made:
                if output.stat().st_mtime >= time.time():
                    os.utime(output, (0, 0))
        times = [output.stat().st_mtime + 0.01 for output in made]
        if path.exists():
            times.append(path.stat().st_mtime)
        path.touch()
        newest = max(times, default=0.0)
        os.utime(path, (newest, newest))
        return str(path)

    def start(self) -> None:
        """Say that the graph is built: from now on no mark may be newer than what is made."""
        self.started = True
        if self.folder:
            for path in self.folder.iterdir():
                os.utime(path, (0, 0))


def present(paths: Iterable[str | Path]) -> None:
    """Give inputs from the future the present time.

    A clock that is ahead, or was, makes Snakemake call a finished job a failure and delete what it
    made ("has older modification time").
    """
    now = time.time()
    for path in map(Path, paths):
        for file in path.iterdir() if path.is_dir() else [path]:
            try:
                if file.stat().st_mtime > now:
                    os.utime(file)
            except OSError:  # not there, or not ours to change
                continue
