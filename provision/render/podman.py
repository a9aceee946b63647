"""Instance -> its podman's configuration files: pure text, nothing of the machine's own leaks in beside them."""

from __future__ import annotations

from pathlib import Path

from provision.run import SYSTEM_PATH
from specs.instance import Instance
from specs.model import LOG_BYTES


def cgroup_parent(instance: Instance) -> str:
    """The cgroup all containers of the instance live under."""
    return f"/pluto/{instance.name}"


def storage_conf_file(instance: Instance) -> Path:
    return instance.home / "storage.conf"


def storage_conf(instance: Instance) -> str:
    """The instance's containers-storage.conf(5): it stands in for the machine's, whatever that says."""
    return f"""\
[storage]
driver = "overlay"
graphroot = "{instance.podman_root}"
runroot = "{instance.podman_runroot}"

[storage.options]
additionalimagestores = ["{instance.store}"]
"""


def containers_conf(instance: Instance) -> str:
    """The instance's containers.conf(5)."""
    return f"""\
[containers]
default_sysctls = []  # a container in its own user namespace may not write its netns' sysctls
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
log_size_max = {LOG_BYTES}
netns = "none"
pids_limit = 64

[engine]
cgroup_manager = "cgroupfs"
# conmon hands CONTAINERS_CONF on to the podman that restarts a container, and these:
conmon_env_vars = ["CONTAINERS_STORAGE_CONF={storage_conf_file(instance)}", "PATH={SYSTEM_PATH}"]
events_logger = "none"
lock_type = "file"  # the default's shared memory is one for all podman roots
image_copy_tmp_dir = "{instance.store_copies}"
num_locks = 512
"""
