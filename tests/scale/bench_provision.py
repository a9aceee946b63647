"""How long provisioning takes, side by side with the peers of FACTS 8, in one run on this machine.

    .venv/bin/python -m tests.scale.bench_provision

Prints seconds, best of five; judges nothing, for machines are noisy.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fixtures import run
from fixtures.scratch import Scratch, bare, scratch
from specs import naming, sysctls
from specs.topology import nodes

ROUNDS = 5


def best(work: Callable[[], object], before: Callable[[], object] = lambda: None, *, rounds: int = ROUNDS) -> float:
    """The shortest of the rounds, in seconds; `before` runs before each, unmeasured."""
    times = []
    for _ in range(rounds):
        before()
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, scratch(bare(Path(folder) / "pluto")) as made:
        whole = best(made.apply, lambda: made.pluto("down"))
        made.pluto("down")
        said = made.pluto("apply", "--yes").stdout
        ops = float(re.findall(r"changes in ([0-9.]+) s", said)[0])
        again = best(made.apply)
        plan = best(lambda: made.pluto("plan"))
        texts = {node.name: made.inside(node.name, "nft", "list", "ruleset") for node in nodes(made.estate)}
        made.pluto("down")
        by_ip = best(lambda: one_process_a_command(made, texts), lambda: forget(made))
        forget(made)
        count = len(nodes(made.estate))
    print(f"network of {count} nodes, from nothing, whole command  {whole:6.2f} s")
    print(f"its ops alone                                                  {ops:6.2f} s   ratio {by_ip / ops:.1f}")
    print(f"the same by one ip, sysctl or nft process a command            {by_ip:6.2f} s   ratio {by_ip / whole:.1f}")
    print(f"second apply, whole command                                    {again:6.2f} s")
    print(f"plan, whole command                                            {plan:6.2f} s")


def one_process_a_command(made: Scratch, texts: Mapping[str, str]) -> None:
    """The same namespaces, sysctls, rulesets, links, addresses and routes, as a shell script would make them."""
    estate = made.estate
    for node in nodes(estate):
        run.run(("ip", "netns", "add", made.netns(node.name)))
        made.ip(node.name, "link set lo up")
        keys = sysctls.sysctls(node).items()
        made.inside(node.name, "sysctl", "-qw", *(f"{key}={value}" for key, value in keys))
        run.run(("ip", "netns", "exec", made.netns(node.name), "nft", "-f", "-"), stdin=texts[node.name])
    for link in estate.wires:
        far = f"type veth peer name {link.ifname} netns {naming.netns(made.instance.name, link.b.node)}"
        made.ip(link.a.node, f"link add {link.ifname} {far}")
        for end in link.endpoints:
            made.ip(end.node, f"address add {end.interface} dev {end.ifname}")
            made.ip(end.node, f"link set {end.ifname} up")
    for node in nodes(estate):
        for route in node.routes:
            if route.via is not None:
                made.ip(node.name, f"route add {route.destination} via {route.via} dev {route.ifname}")


def forget(made: Scratch) -> None:
    for node in nodes(made.estate):
        run.attempt(("ip", "netns", "del", made.netns(node.name)))


if __name__ == "__main__":
    main()
