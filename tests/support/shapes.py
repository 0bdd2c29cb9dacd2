"""Runs a graph in every shape that a budget of tokens allows, in a process of its own, and prints its memory.

    python shapes.py MODEL_FOLDER MAX_LENGTH BUDGET

Prints by how much the peak, as the kernel counts it, rose above what the graph takes, loaded twice as for several
instances, in KiB.
"""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from encoderfile.model.device import Device
from encoderfile.model.session import Session


def status(name: str) -> int:
    """VmRSS, resident now, or VmHWM, the most that ever was."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(name))
    return int(line.split()[1])


INSTANCES = 2


def main(folder: Path, max_length: int, budget: int) -> None:
    graph = (folder / "model.onnx").read_bytes()
    all_threads, one_thread = (Session(graph, {}, device=Device("cpu", ""), threads=threads) for threads in (2, 1))
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = status("VmRSS")
    rng = random.Random(0)
    lengths = [1, 2, 3, max_length, max_length - 1, *(rng.randint(1, max_length) for _ in range(15))]

    def run(session: Session, rows: int, length: int) -> None:
        ones = np.ones((rows, length), dtype=np.int64)
        session.run({each.name: ones for each in session.inputs}, session.outputs[0].name)

    for length in lengths:
        for rows in {max(1, budget // length), rng.randint(1, max(1, budget // length))}:
            run(all_threads, rows, length)
    with ThreadPoolExecutor(INSTANCES) as pool:
        for length in lengths:
            most = max(1, budget // INSTANCES // length)
            if length * INSTANCES <= budget:
                list(pool.map(lambda _, rows=most, length=length: run(one_thread, rows, length), range(INSTANCES)))
    sys.stdout.write(f"{status('VmHWM') - before}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
