"""Runs programs side by side and says what each cost: wall time, processor time, memory."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
#: What `ru_maxrss` counts in.
UNIT = 1024
#: What is shorter, in seconds, is looked at so many times more.
SHORT, LOOKS = 0.1, 20


@dataclass(frozen=True)
class Program:
    """What is run. All programs of one comparison do the same work."""

    name: str
    command: list[str]
    directory: Path
    exits: tuple[int, ...] = (0,)
    #: Where standard output goes.
    output: str = os.devnull
    #: What is done before each run, and not measured.
    prepare: Callable[[], None] = lambda: None


@dataclass
class Costs:
    """What the runs of one program cost, in seconds and bytes."""

    wall: list[float] = field(default_factory=list)
    #: User and system time, children included.
    processor: list[float] = field(default_factory=list)
    #: The same without the children; of the main thread where `/proc` tells, which is where the work is done.
    own: list[float] = field(default_factory=list)
    #: The highest resident memory.
    memory: list[int] = field(default_factory=list)

    def least(self, of: str = "wall") -> float:
        return min(getattr(self, of))

    def median(self, of: str = "wall") -> float:
        return statistics.median(getattr(self, of))


class Failed(Exception):
    """A program did not do its work: its times mean nothing."""


def side_by_side(programs: list[Program], runs: int, environment: dict[str, str], warm: int = 1) -> dict[str, Costs]:
    """Runs the programs in turns, so that a disturbance of the machine meets all of them."""
    costs = {program.name: Costs() for program in programs}
    for turn in range(-warm, runs):
        # Who comes first changes from turn to turn.
        shift = turn % len(programs)
        for program in programs[shift:] + programs[:shift]:
            run(program, environment, costs[program.name] if turn >= 0 else Costs())
    return costs


def run(program: Program, environment: dict[str, str], costs: Costs) -> None:
    """One run, output discarded or in its file, error output kept for the message of a failure."""
    child, errors, started = _spawn(program, environment)
    # The zombie still tells its own time; waiting for it adds up its children's.
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - started
    own = _own_time(child)
    usage = _end(program, child, errors)
    processor = usage.ru_utime + usage.ru_stime
    costs.wall.append(wall)
    costs.processor.append(processor)
    costs.own.append(processor if own is None else own)
    costs.memory.append(usage.ru_maxrss * UNIT)


def peak_memory(program: Program, environment: dict[str, str]) -> int:
    """The highest resident memory of one run, and of several where it is short.

    What the system says of a child begins at what its parent had when it was started. So the memory of small children
    is looked at while they run. What ends after a few milliseconds is looked at too seldom to be seen at its highest.
    """
    started = time.perf_counter()
    seen, told = _watched(program, environment)
    if time.perf_counter() - started < SHORT:
        seen = max(seen, *(_watched(program, environment)[0] for _ in range(LOOKS)))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    return told if told > 1.1 * own or not seen else seen


def own_peak_memory(program: Program, environment: dict[str, str]) -> int:
    """The highest resident memory of the process itself, without what it starts."""
    return _watched(program, environment)[0]


def _watched(program: Program, environment: dict[str, str]) -> tuple[int, int]:
    """The highest resident memory of one run: of the process as seen each millisecond, and of it or a child as told."""
    child, errors, _ = _spawn(program, environment)
    seen = 0
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        seen = max(seen, _resident_peak(child))
        time.sleep(0.001)
    return seen, _end(program, child, errors).ru_maxrss * UNIT


def _spawn(program: Program, environment: dict[str, str]) -> tuple[int, int, float]:
    program.prepare()
    errors = os.memfd_create("errors")
    os.chdir(program.directory)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, program.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, errors, 2),
    ]
    started = time.perf_counter()
    child = os.posix_spawnp(program.command[0], program.command, environment, file_actions=actions)
    return child, errors, started


def _end(program: Program, child: int, errors: int) -> resource.struct_rusage:
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    text = _read(errors)
    if code not in program.exits:
        raise Failed(f"{program.name}: exit code {code} of `{' '.join(program.command)}`\n{text}")
    return usage


def _resident_peak(child: int) -> int:
    try:
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _own_time(child: int) -> float | None:
    try:
        nanoseconds = int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError, IndexError):
        return None
    # The first is exact and of the main thread, the second of all threads and coarse.
    return nanoseconds / 1e9 if nanoseconds else (int(fields[11]) + int(fields[12])) / TICKS


def _read(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 1 << 16).decode(errors="replace")
    os.close(descriptor)
    return text.strip()

