"""An instance's own podman: its command line, and its REST service while there is work.

CONTAINERS_CONF and CONTAINERS_STORAGE_CONF name the instance's own files (with CONTAINERS_CONF no other
containers.conf is read), and root, runroot, tmpdir and runtime are named on the command line, which conmon
repeats to the `podman container cleanup` that restarts a dead container.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from provision import run
from provision.errors import ApplyError
from provision.render.podman import cgroup_parent, containers_conf, storage_conf, storage_conf_file
from provision.wait import wait, within
from specs.instance import Instance

CGROUP_ROOT = Path("/sys/fs/cgroup")
# With --storage-driver podman forgets storage.conf's options, so they are named here. An id map costs no chown:
# overlay mounts the image's layers id-mapped (kernel 5.19, mount_setattr(2)).
MOUNT_OPT = "overlay.mountopt=nodev,nosuid"
SERVICE_SECONDS = 20.0  # the service answers within this time, or never
CALL_SECONDS = 120.0
API_VERSION = "4.0.0"  # the oldest that has all we ask; podman-py's own would be newer than podman 4
NOT_FOUND = 404

Method = Literal["GET", "POST", "DELETE"]


class Podman:
    """Podman for one instance. As a context manager it ends the service that `call` starts on first use."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.runtime = "crun" if unified_cgroups() else "runc"  # crun refuses a hybrid hierarchy, see FACTS 1
        self._service: run.Process | None = None
        self._starting = threading.Lock()
        self._local = threading.local()
        self._clients: list[Any] = []

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line up to the verb."""
        return (
            "podman",
            *("--root", str(self.instance.podman_root)),
            *("--runroot", str(self.instance.podman_runroot)),
            *("--tmpdir", str(self.instance.podman_tmp)),
            *("--storage-driver", "overlay", "--storage-opt", MOUNT_OPT),
            *("--storage-opt", f"overlay.imagestore={self.instance.store}"),
            *("--cgroup-manager", "cgroupfs"),
            *("--runtime", self.runtime),
        )

    @property
    def store_argv(self) -> tuple[str, ...]:
        """The same where images are written: the instance's store, which `argv` only reads."""
        return (
            "podman",
            *("--root", str(self.instance.store)),
            *("--runroot", str(self.instance.store_run)),
            *("--tmpdir", str(self.instance.store_run / "tmp")),
            *("--storage-driver", "overlay"),
        )

    @property
    def env(self) -> dict[str, str]:
        return {
            "CONTAINERS_CONF": str(self.instance.containers_conf),
            "CONTAINERS_STORAGE_CONF": str(storage_conf_file(self.instance)),
            "PATH": run.SYSTEM_PATH,  # conmon keeps it for as long as the container lives
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    @property
    def present(self) -> bool:
        """Whether this instance's podman ever ran: without its root there is nothing to ask."""
        return self.instance.podman_root.is_dir()

    def write_conf(self) -> None:
        """Write the instance's containers.conf and storage.conf where they differ, and make podman's folders."""
        instance = self.instance
        for folder in (instance.podman_root, instance.podman_runroot, instance.podman_tmp, instance.store_copies):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        _write(instance.containers_conf, containers_conf(instance))
        _write(storage_conf_file(instance), storage_conf(instance))

    def run(
        self, *args: str, timeout: float = 60, stdin: str | bytes | None = None, on_store: bool = False
    ) -> run.Done:
        """One podman process: `podman.run("secret", "rm", name)`; those on images `on_store`. Raises CommandError."""
        self.write_conf()
        argv = self.store_argv if on_store else self.argv
        return run.run((*argv, *args), timeout=timeout, stdin=stdin, env=self.env)

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The end of the log of the container `name` (podman's name), for an error message."""
        argv = (*self.argv, "logs", "--tail", str(lines), name)
        done = run.run(argv, timeout=10, env=self.env, accept=(0, 125))
        return (done.stdout + done.stderr).strip()

    def call(
        self, method: Method, path: str, *, data: str | bytes | None = None, absent: bool = False, **params: str
    ) -> Any:  # noqa: ANN401 - JSON
        """One API request below /libpod; starts the service on first use. Returns the answer's JSON, or None.

        With `absent` it is no error that the thing is not there. Raises ApplyError with podman's own message. Safe
        from several threads.
        """
        api = self._client().api
        ask = {"GET": api.get, "POST": api.post, "DELETE": api.delete}[method]
        body = {} if data is None else {"data": data, "headers": {"Content-Type": "application/json"}}
        answer = ask(path, params=params, **body)
        if absent and answer.status_code == NOT_FOUND:
            return None
        if answer.status_code >= 400:
            raise ApplyError(f"podman {method} {path}: {answer.status_code} {_message(answer.text)}")
        return json.loads(answer.text) if answer.text.strip() else None

    def close(self) -> None:
        """End the service. Containers live on: their parent is conmon, not the service."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        self._local = threading.local()
        if self._service is not None:
            run.finish(self._service)
            self._service = None
            self.instance.podman_socket.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _client(self) -> Any:  # noqa: ANN401 - podman-py has no types
        """This thread's client: a requests session is not meant for several threads."""
        client = getattr(self._local, "client", None)
        if client is None:
            with self._starting:
                self._serve()
                client = _connect(self.instance.podman_socket)
                self._clients.append(client)
            self._local.client = client
        return client

    def end_leftover(self) -> None:
        """End every process that works on the instance's storage: services, conmons, imports. For `down` alone."""
        for root in (self.instance.podman_root, self.instance.store):
            run.end_with_argument(str(root))

    @property
    def _address(self) -> str:
        return f"unix://{self.instance.podman_socket}"

    def _serve(self) -> None:
        if self._service is not None:
            return
        self.write_conf()
        path, log = self.instance.podman_socket, self.instance.run / "podman-service.log"
        run.end_with_argument(self._address)  # of a command that was killed
        path.unlink(missing_ok=True)  # an earlier service that was killed leaves its socket behind
        argv = (*self.argv, "system", "service", "--time=0", self._address)
        service = run.spawn(argv, env=self.env, log=log)
        try:
            deadline = within(SERVICE_SECONDS)
            wait(lambda: _answers(service, path, log), deadline=deadline, what=f"podman's service on {path}")
        except ApplyError:
            run.finish(service)
            raise
        self._service = service


def unified_cgroups() -> bool:
    """Whether the machine's cgroups are v2 alone."""
    return (CGROUP_ROOT / "cgroup.controllers").exists()


def remove_cgroups(instance: Instance) -> None:
    """Remove the instance's empty cgroups, which podman leaves behind; for `down`. One in use stays."""
    roots = [CGROUP_ROOT] if unified_cgroups() else sorted(CGROUP_ROOT.iterdir())
    for root in roots:
        top = root / cgroup_parent(instance).lstrip("/")
        below = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for folder in (*below, top, top.parent):
            with contextlib.suppress(OSError):  # absent, or still holds a process or a sibling
                folder.rmdir()


def _connect(path: Path) -> Any:  # noqa: ANN401 - podman-py has no types
    from podman import PodmanClient  # takes 200 ms: only when there is container work

    return PodmanClient(base_url=f"unix://{path}", version=API_VERSION, timeout=CALL_SECONDS)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _answers(service: run.Process, path: Path, log: Path) -> bool:
    if service.poll() is not None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise ApplyError(f"podman's service ended at once (exit {service.returncode}):\n{tail}")
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(os.fspath(path)) == 0


def _message(text: str) -> str:
    """The `message` of podman's error document, which holds the cause as well."""
    try:
        document = json.loads(text)
    except ValueError:
        return text.strip()
    return str(document.get("message", text))
