"""Runs of a sweep in processes of their own, several at a time, each as if it were alone."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

from dispatcher.cli import told
from sim.sweeps.store import Run

INTERRUPTED = 130

Summary = dict[str, Any]
Ended = tuple[Run, Summary | str]


def run_all(runs: Sequence[Run], jobs: int) -> Iterator[Ended]:
    """Each run and its summary as it ends, or why it failed; in no particular order."""
    if not runs:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(jobs, len(runs)), mp_context=context) as pool:
        waiting: dict[Future[Summary | str], Run] = {pool.submit(_try, run): run for run in runs}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _try(run: Run) -> Summary | str:
    """An error ends one run only; it is told in words, which any process understands."""
    logging.getLogger().setLevel(logging.ERROR)
    signal.signal(signal.SIGINT, _leave)
    try:
        return simulate(run)
    except Exception as error:  # noqa: BLE001 - told with the run it belongs to
        return told(error)


def simulate(run: Run) -> Summary:
    """The summary of one run, whose messages are handed over: its journal is the same."""
    from sim.run import Wishes
    from sim.run import run as simulate_all
    from sim.scenario.config import load_scenario

    scenario = load_scenario(run.scenario, site=run.site, overrides=run.setting.overrides)
    wishes = Wishes(seed=run.seed, until_s=run.until_s, direct=True)
    return dict(simulate_all(scenario, wishes).summary)


def _leave(number: int, frame: object) -> None:  # noqa: ARG001
    """On Ctrl-C, without a word: who started the sweep says what is kept."""
    os._exit(INTERRUPTED)
