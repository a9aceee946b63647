"""How long the whole estate takes to be up again, its images there, side by side with podman's own start of all.

    .venv/bin/python -m tests.scale.bench_warm

Each is the whole command, until every service answers as its client would ask; podman's start waits for no answer, and
finds namespaces, links and rulesets standing. Prints seconds, best of three; judges nothing, for machines are noisy.
"""

from __future__ import annotations

from fixtures import container, run
from fixtures.boot import boot
from fixtures.scratch import SECONDS, Scratch, scratch
from tests.scale.bench_provision import best

ROUNDS = 3


def podman(made: Scratch, *words: str) -> None:
    """One command of the instance's own podman."""
    instance = made.instance
    files = {"CONTAINERS_CONF": instance.containers_conf, "CONTAINERS_STORAGE_CONF": instance.home / "storage.conf"}
    env = ("env", *(f"{key}={value}" for key, value in files.items()))
    run.run((*env, "podman", "--tmpdir", str(instance.podman_tmp), *words), timeout=SECONDS)


def main() -> None:
    with scratch() as made:
        made.apply()
        after_down = best(made.apply, lambda: made.pluto("down"), rounds=ROUNDS)
        after_boot = best(made.apply, lambda: boot(made.instance), rounds=ROUNDS)
        stopped = best(made.apply, lambda: podman(made, "stop", "--all"), rounds=ROUNDS)
        peer = best(lambda: podman(made, "start", "--all"), lambda: podman(made, "stop", "--all"), rounds=ROUNDS)
        count = len(container.pids(made.instance))
    print(f"{count} containers and their network, after `down`     {after_down:6.2f} s")
    print(f"the same after a boot                             {after_boot:6.2f} s")
    print(f"containers stopped, network standing              {stopped:6.2f} s")
    print(f"the same by `podman start --all`, nothing awaited {peer:6.2f} s   ratio {peer / stopped:.1f}")


if __name__ == "__main__":
    main()
