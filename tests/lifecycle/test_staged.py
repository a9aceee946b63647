"""A ruleset is proved before it is loaded: one that is not what is declared is refused, and nothing is touched."""

import shutil
import sys
from pathlib import Path

import pytest

from fixtures import run
from fixtures.run import Done
from fixtures.scratch import SECONDS, Scratch, bare, edit, scratch

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of pluto's own code, to break."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("provision", "specs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def broken(checkout: Path, made: Scratch, *words: str) -> Done:
    """One command of the broken copy: `python -m` puts the folder it is called in before all others."""
    argv = ("env", f"--chdir={checkout}", sys.executable, *made.argv(*words)[1:])
    return run.attempt(argv, timeout=SECONDS)


def rulesets(made: Scratch) -> dict[str, str]:
    return {node: made.inside(node, "nft", "list", "ruleset") for node in ("host", "vpn-edge", "git-web")}


def test_an_undeclared_flow_is_refused(network: Scratch, checkout: Path) -> None:
    """By a mistake in a template that accepts ssh everywhere."""
    template = checkout / "provision/render/nft.py"
    edit(template, r"'iifname \"lo\" accept', \*chains\.input", "'tcp dport 22 accept', *chains.input")
    before = rulesets(network)
    try:
        for command in (("plan",), ("apply", "--yes")):
            done = broken(checkout, network, *command)
            assert done.code == 1
            assert "refused, nothing was touched: these rulesets are not what is declared" in done.stderr
            assert "host -> reverse-proxy-edge: no flow declares it" in done.stderr
            assert ":22 syn sent by host out of host-pub is accepted by reverse-proxy-edge" in done.stderr
            assert "input: accept by tcp dport 22 accept, input (inet pluto)" in done.stderr
    finally:
        shutil.copy(ROOT / "provision/render/nft.py", template)
    assert rulesets(network) == before
    assert network.plan() == []


def test_a_declared_flow_that_is_not_carried_is_refused(network: Scratch, checkout: Path) -> None:
    """By a mistake in a template that lets nothing answer."""
    template = checkout / "provision/render/nft.py"
    edit(template, r"ct state established ct direction reply accept", "ct state established ct direction reply drop")
    try:
        done = broken(checkout, network, "apply", "--yes")
    finally:
        shutil.copy(ROOT / "provision/render/nft.py", template)
    assert done.code == 1
    assert "laptop -> git-ssh tcp/2222 (links.yaml:" in done.stderr
    assert "would not be carried (answer)" in done.stderr
    assert "and what answers it dies in git-ssh:" in done.stderr
    assert network.plan() == []


def test_a_proof_is_remembered_as_long_as_its_listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a state folder of its own: proved once, not again, and again when the listings had to be made anew."""
    monkeypatch.setenv("PLUTO_STATE", str(tmp_path / "state"))
    with scratch(bare(tmp_path / "pluto")) as made:
        made.apply()
        cache = made.instance.state / "cache/rulesets"
        (proof,) = cache.glob("*.proved")
        argv = made.argv("apply", "--yes")
        told = run.attempt((argv[0], "-X", "importtime", *argv[1:]), timeout=SECONDS)
        assert "nothing to do" in told.stdout
        assert "provision.staged" in told.stderr
        assert "specs.semantics" not in told.stderr
        for listing in cache.glob("*.listing.json"):
            listing.unlink()
        again = run.attempt((argv[0], "-X", "importtime", *argv[1:]), timeout=SECONDS)
        assert "nothing to do" in again.stdout
        assert "specs.semantics.prove" in again.stderr
        assert proof.exists()


def test_an_edge_is_let_out(unmade: Scratch) -> None:
    """Egress is a declared flow: proved with its answers, told by a plan, and there."""
    edit(unmade.folder / "links.yaml", r"players -> b tcp/25565\]", "players -> b tcp/25565, b -> wan tcp/444]")
    assert "reverse-proxy-edge -> wan tcp/444" in unmade.document()["reach"]["gained"]
    unmade.apply()
    assert unmade.pluto("why", "reverse-proxy-edge", "wan", "tcp/444").code == 0
