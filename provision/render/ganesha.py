"""Estate -> ganesha.conf of one container: its host paths by NFS 4 alone, at the places where flows end in it.

Every client is the one user that the container runs as, whatever ids it sends (Squash, Only_One_User): AUTH_SYS names
are the client's own claim, and the server then needs no capability to become others. Who may come, the links say.
See ganesha-core-config(8), ganesha-export-config(8), ganesha-vfs-config(8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provision.render.sockets import sockets
from specs.model import Container, Estate, Mount, SourceKind

Block = Mapping[str, object]


def render(estate: Estate, container: Container) -> str:
    """The file for `container`. Raises ValueError when not exactly one TCP flow's end is there to listen at."""
    (address, port), *further = sockets(estate, container.name)
    if further:
        raise ValueError(f"ganesha listens at one address, and flows reach {container.name} at {address} and others")
    shown = [mount for mount in container.mounts if mount.kind is SourceKind.HOST]
    blocks: list[tuple[str, Block]] = [
        ("NFS_CORE_PARAM", _core(str(address), port)),
        ("NFSV4", _version_4()),
        ("DIRECTORY_SERVICES", {"DomainName": estate.site.hostname, "Idmapping_Active": False}),
        ("NFS_KRB5", {"Active_krb5": False}),
        ("VFS", {"Only_One_User": True}),
        *(("EXPORT", _export(number, mount, container.acts_as)) for number, mount in enumerate(shown, start=1)),
    ]
    return "\n".join(_block(name, said) for name, said in blocks)


def _core(address: str, port: int) -> Block:
    return {
        "Protocols": 4,
        "Bind_addr": address,
        "NFS_Port": port,
        "Enable_NLM": False,  # locks and quotas of NFS 3
        "Enable_RQUOTA": False,
        "Enable_UDP": False,
        "Allow_Set_Io_Flusher_Fail": True,  # prctl(2), PR_SET_IO_FLUSHER: wants CAP_SYS_RESOURCE
    }


def _version_4() -> Block:
    return {
        "Minor_Versions": "0, 1, 2",
        "Only_Numeric_Owners": True,  # there are no names to map
        "Graceless": True,  # nothing is remembered over a restart, so nobody has anything to reclaim
        "RecoveryRoot": "/tmp/recovery",  # noqa: S108 - the container's own tmpfs
    }


def _export(number: int, mount: Mount, user: int) -> Block:
    return {
        "Export_Id": number,
        "Path": mount.at,
        "Pseudo": f"/{mount.at.name}",
        "Access_Type": "RW" if mount.writable else "RO",
        "SecType": "sys",
        "Squash": "All_Squash",
        "Anonymous_Uid": user,
        "Anonymous_Gid": user,
        "FSAL": {"Name": "VFS"},
    }


def _block(name: str, said: Block, pad: str = "") -> str:
    return "\n".join([f"{pad}{name} {{", *_lines(said, f"{pad}  "), f"{pad}}}", *([] if pad else [""])])


def _lines(said: Block, pad: str) -> Iterable[str]:
    for key, value in said.items():
        yield _block(key, value, pad) if isinstance(value, Mapping) else f"{pad}{key} = {_word(value)};"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
