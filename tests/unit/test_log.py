"""A container's log, as conmon writes it (k8s-file), read back in whole lines."""

from pathlib import Path
from threading import Event, Thread

from provision import log

WRITTEN = """\
2026-11-23T13:29:28.779095541+00:00 stdout F first
2026-11-23T13:29:28.799853000+00:00 stderr P a line that 
2026-11-23T13:29:28.799854000+00:00 stderr F goes on
2026-11-23T13:29:29.000000000+00:00 stdout F 
"""  # noqa: W291 - as conmon writes it
LINES = ["2026-11-23 13:29:28 first", "2026-11-23 13:29:28 a line that goes on", "2026-11-23 13:29:29 "]


def test_lines() -> None:
    assert list(log.parse(WRITTEN.splitlines())) == LINES
    assert list(log.parse([WRITTEN.splitlines()[1]])) == []
    assert list(log.parse([])) == []


def test_tail(tmp_path: Path) -> None:
    file = tmp_path / "ctr.log"
    file.write_text(WRITTEN)
    assert log.tail(file, 2) == LINES[1:]
    assert log.tail(file, 50) == LINES
    assert log.tail(file, 0) == []


def test_follow_goes_on_in_the_file_that_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "ctr.log"
    file.write_text(WRITTEN)
    seen: list[str] = []
    asked = Event()

    def reader() -> None:
        for line in log.follow(file, 1):
            seen.append(line)
            asked.set()
            if line.endswith("third"):
                return

    thread = Thread(target=reader, daemon=True)
    thread.start()
    assert asked.wait(5)
    asked.clear()
    with file.open("a") as more:
        more.write("2026-11-23T13:29:30.1+00:00 stdout F sec")
        more.flush()
        more.write("ond\n")
    assert asked.wait(5)
    fresh = tmp_path / "ctr.log.tmp"
    fresh.write_text("2026-11-23T13:29:31.1+00:00 stdout F third\n")
    fresh.replace(file)
    thread.join(5)
    assert not thread.is_alive()
    assert seen == [LINES[2], "2026-11-23 13:29:30 second", "2026-11-23 13:29:31 third"]
