"""The probe beside nmap, same namespaces, addresses and TCP ports: `python -m tests.scale.bench_nmap`.

visitor ── wan ── host ── hub ── 14 leaves        18 namespaces; every one scans every address of the others

nmap(1) is given what speeds it up: no name service, no host discovery, one retry, its fast timing; and it says only
what the target answers, where the probe says what the target's stack took.
"""

from __future__ import annotations

import time

from fixtures.netns import inside, named
from fixtures.probe.matrix import Result
from fixtures.probe.orders import every_pair
from fixtures.probe.run import probe
from fixtures.run import run
from tests.scale.bench_probe import lay
from tests.scale.rig import Rig

LEAVES = 14
PORTS = (22, 443, 8080, 25565)
ARGV = ("nmap", "-n", "-Pn", "-sS", "-T4", "--max-retries", "1", "-p", ",".join(map(str, PORTS)))
ROUNDS = 3  # of the probe, the best of which counts
SECONDS = 600.0  # for one namespace's scan


def probed(rig: Rig) -> float:
    """Seconds, the capture included."""
    began = time.monotonic()
    matrix = probe(rig.senders(), rig.targets(), every_pair(rig.senders(), rig.targets(), {"tcp-syn": PORTS}))
    seconds = time.monotonic() - began
    accepted = sum(len(f.ports) for cell in matrix.cells for f in cell.findings if f.result is Result.ACCEPTED)
    unproven = sum(len(f.ports) for cell in matrix.cells for f in cell.findings if f.result is Result.UNPROVEN)
    print(f"probe: {matrix.counts.probes} probes, {accepted} accepted, {unproven} unproven, {seconds:.2f} s")
    return seconds


def scanned(rig: Rig) -> float:
    """Seconds of nmap, from every namespace to the addresses of all others."""
    began = time.monotonic()
    for node, own in rig.nodes.items():
        others = [str(address) for addresses in rig.nodes.values() for address in addresses if address not in own]
        argv = (*ARGV, *others)
        inside(named(rig.prefix + node), lambda argv=argv: run(argv, timeout=SECONDS))  # type: ignore[misc]
    seconds = time.monotonic() - began
    print(f"nmap:  {len(rig.nodes)} namespaces, {len(PORTS)} ports, {seconds:.1f} s")
    return seconds


def main() -> None:
    with Rig() as rig:
        lay(rig, LEAVES)
        probed(rig)  # the first run imports scapy
        ratio = scanned(rig) / min(probed(rig) for _ in range(ROUNDS))
        print(f"nmap takes {ratio:.0f} times as long")


if __name__ == "__main__":
    main()
