"""How much faster batches are done by more workers.

    python -m tests.bench.engine [--workers 1 2] [--rounds 7] [--engine local|ray]

The same batches of a probe and of a verification of `atelier`, given in turn to engines of so many
workers that have loaded the model before; each worker computes on one thread. Printed are the
medians over the rounds, and the median of each round's ratio to the first number of workers.
Nothing else should run on the machine: the last line says how busy it was.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from surgery.engine import Engine, engine_for
from surgery.judges.atelier import atelier_judge
from surgery.localise.batch import Batch, run_batch
from surgery.localise.tools import addresses_of, lent
from surgery.localise.wish import Circumstance
from surgery.probes.base import Arm, Substitute
from surgery.questions import ask
from surgery.runs.base import Case, Row, Sampling
from surgery.store.checkpoint import open_checkpoint
from surgery.verify import items as painted

ROWS, BATCHES, STEPS = 8, 12, 20


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of work: a function and its items."""

    function: Callable[..., object]
    items: Sequence[object]


def probing() -> Load:
    """Batches of LocoGen, as `surgery probe atelier` makes them."""
    place = addresses_of(open_checkpoint("atelier"), Circumstance())
    tools = lent(place, atelier_judge())
    question = ask("van gogh", None, None, prompts=None, vocabulary="atelier")
    pairs = question.pairs
    rows = [
        Row(Case(pairs[number % len(pairs)], number), Arm("window", Substitute(2, 5)))
        for number in range(ROWS * BATCHES)
    ]
    starts = range(0, len(rows), ROWS)
    some = [tuple(rows[first : first + ROWS]) for first in starts]
    sampling = Sampling(STEPS, 3.0)
    items = [Batch(tools, "substitute", one, sampling, 1, question) for one in some]
    return Load(run_batch, items)


def painting() -> Load:
    """Items of `surgery verify atelier atelier`: half of them of each model."""
    prompts = ("a star in the style of monet",) * ROWS
    seeds = range(9_000_000, 9_000_000 + ROWS * BATCHES // 2, ROWS)
    made = [painted.Batch(prompts, tuple(range(one, one + ROWS)), 3.0) for one in seeds]
    models = [("atelier", open_checkpoint("atelier").fingerprint)] * 2
    how = painted.Painting(STEPS)
    return Load(painted.run_item, painted.items(models, made, how, ROWS))


def seconds(engine: Engine, load: Load) -> float:
    began = time.monotonic()
    engine.map(load.function, load.items)
    return time.monotonic() - began


def measured(engines: Mapping[int, Engine], load: Load, rounds: int) -> list[list[str]]:
    """A row for each number of workers."""
    for count, engine in engines.items():
        # Every worker loads the model, however fast another one is.
        engine.map(load.function, load.items[: 4 * count])
    times: dict[int, list[float]] = {count: [] for count in engines}
    for _ in range(rounds):
        for count, engine in engines.items():
            times[count].append(seconds(engine, load))
    first = next(iter(times.values()))
    rows = []
    for count, own in times.items():
        ratio = statistics.median(a / b for a, b in zip(first, own, strict=True))
        middle = statistics.median(own)
        rows.append(
            [str(count), f"{middle:.2f}", f"{len(load.items) / middle:.2f}", f"{ratio:.2f}"]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    wish = parser.parse_args()
    sys.stdout.write("| work | workers | seconds | items/s | times as fast |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- |\n")
    for name, load in (("probe", probing()), ("verify", painting())):
        with ExitStack() as stack:
            engines = {
                count: stack.enter_context(engine_for(wish.engine, count)) for count in wish.workers
            }
            for row in measured(engines, load, wish.rounds):
                sys.stdout.write(f"| {' | '.join([name, *row])} |\n")
    busy = os.getloadavg()[1]
    sys.stdout.write(f"\n{os.cpu_count()} processors, {busy:.1f} waiting on average\n")


if __name__ == "__main__":
    main()
