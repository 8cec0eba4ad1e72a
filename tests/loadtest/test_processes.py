"""What a process costs, and where it runs."""

from __future__ import annotations

import os
import subprocess

from loadtest.processes import children, cpu_s, main_thread_cpu_s, memory_kib, on_any_core, on_core


def test_what_a_process_costs() -> None:
    before_s, before_main_s = cpu_s(os.getpid()), main_thread_cpu_s(os.getpid())
    while cpu_s(os.getpid()) - before_s < 0.05:
        sum(range(10_000))
    assert main_thread_cpu_s(os.getpid()) - before_main_s > 0.03
    assert memory_kib(os.getpid()) > 1000
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in children(os.getpid())
        child.kill()
    assert child.pid not in children(os.getpid())


def test_on_one_core_and_on_any() -> None:
    on_any_core([os.getpid()])  # other tests may have kept this process to a core
    all_of_them = os.sched_getaffinity(0)
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            on_core(0, [child.pid])
            assert os.sched_getaffinity(child.pid) == {min(all_of_them)}
            on_any_core([child.pid])
            assert os.sched_getaffinity(child.pid) == all_of_them
        finally:
            child.kill()
