"""Commands side by side: how long they take, how much processor time, how much memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY = 0.05
"""Seconds between two looks at the memory of the processes."""


_BLOCK = 512
"""Bytes of a block in `getrusage`, whatever the file system's are."""


@dataclass(frozen=True)
class Measured:
    """From the first command's start to the last one's end.

    `processor_seconds` are those of the commands and all that they start, and `written` the bytes
    that these caused to be written to the disk; `peaks` is the largest resident memory of each of
    the processes, in bytes, the oldest process first.
    """

    seconds: float
    processor_seconds: float
    peaks: tuple[int, ...]
    written: int

    @property
    def megabytes(self) -> str:
        """The memory of each process, in words."""
        return "+".join(f"{peak / 1e6:,.0f}" for peak in self.peaks)


def measured(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Measured:
    """Run the commands at the same time. Raises RuntimeError where one of them fails."""
    started = time.monotonic()
    running = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for command in commands
    ]
    watch = _Watch([process.pid for process in running])
    processor, blocks = 0.0, 0
    for process in running:
        assert process.stderr
        with process.stderr as stderr:
            said = stderr.read()
        _, status, used = os.wait4(process.pid, 0)  # the use of its children is within its own
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{process.args!r} failed: {said.decode()[-2000:]}")
        processor += used.ru_utime + used.ru_stime
        blocks += used.ru_oublock
    seconds = time.monotonic() - started
    return Measured(seconds, processor, watch.end(), blocks * _BLOCK)


class _Watch:
    """Looks at the processes' peaks now and then: the kernel keeps a peak while a process lives."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._peaks: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> tuple[int, ...]:
        """The peaks, the oldest process first."""
        self._over.set()
        self._thread.join()
        return tuple(peak for _, peak in sorted(self._peaks.items()))

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            for ours in self._pids:
                for pid in family(ours):
                    if size := peak(pid):
                        self._peaks[pid] = size


def family(pid: int) -> Iterator[int]:
    """A process and all below it, as Linux has them in /proc; elsewhere the process alone."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(task).split():
            yield from family(int(child))


def peak(pid: int) -> int | None:
    """A process's largest resident memory, bytes of VmHWM; None where it has ended."""
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def processor_seconds(pid: int) -> float:
    """Processor time that a process's threads have taken, as Linux has it to the nanosecond."""
    taken = (_text(each) for each in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(text.split()[0]) for text in taken if text) / 1e9


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:  # the process has ended meanwhile
        return ""
