"""The files of git, the datastore and their logins, compared whole with the files in golden/.

After a change that is meant: UPDATE_GOLDEN=1 pytest tests/unit/test_render_logins.py, then read the difference.
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from provision.logins import logins
from provision.render import cgit, copyparty, ganesha, sshd
from provision.render.wireguard import Secret
from specs.instance import Instance
from specs.model import Mount, Person, Profile, SourceKind, Waiver, When
from tests.unit.small_estate import CONTAINERS, estate
from tests.unit.test_render_services import assert_golden

SHOWN = Mount(kind=SourceKind.HOST, origin="/data", at=PurePosixPath("/srv/data"), writable=False)
PASSWORDS = (("mara", Secret("second")), ("liam", Secret("first")))


def test_cgit() -> None:
    small = estate()
    assert_golden("small-cgitrc", cgit.cgitrc(small, small.container("weblog")))
    assert_golden("small-lighttpd-cgit.conf", cgit.lighttpd(small, small.container("weblog")))


def test_sshd_listens_where_its_flows_end() -> None:
    small = estate()
    lines = sshd.listen(small, small.container("drafts")).splitlines()
    assert lines == ["ListenAddress 10.1.3.1:8080", "ListenAddress 172.16.3.1:8081"]


def test_sshd_that_nobody_reaches() -> None:
    small = estate()
    with pytest.raises(ValueError, match="no flow brings TCP to unreached"):
        sshd.listen(small, small.container("unreached"))


def test_authorized_keys_are_restricted_and_in_order() -> None:
    text = sshd.authorized([("mara", "ssh-ed25519 AAAB"), ("liam", "ssh-ed25519 AAAA")])
    assert text == "restrict ssh-ed25519 AAAA liam\nrestrict ssh-ed25519 AAAB mara\n"


def test_copyparty() -> None:
    small = estate()
    shown = replace(small.container("drafts"), mounts=(SHOWN,))
    secret = copyparty.render(small, shown, PASSWORDS)
    assert (repr(secret), str(secret)) == ("***", "***")
    assert_golden("small-copyparty.conf", secret.reveal())
    with pytest.raises(ValueError, match="nobody may log in to drafts"):
        copyparty.render(small, shown, ())


def test_ganesha() -> None:
    """Every client is who the server is: the waiver's user; what is read-only stays so, a volume is not shown."""
    small = estate()
    waiver = Waiver(
        reason="a test", when=When.ALWAYS, userns_host=True, capabilities=("DAC_READ_SEARCH",), devices=(), user=77
    )
    kept = replace(SHOWN, at=PurePosixPath("/srv/kept"), writable=True)
    volume = replace(SHOWN, kind=SourceKind.VOLUME, at=PurePosixPath("/data"))
    shown = replace(small.container("weblog"), mounts=(SHOWN, kept, volume), waiver=waiver)
    assert_golden("small-ganesha.conf", ganesha.render(small, shown))
    with pytest.raises(ValueError, match="listens at one address"):
        ganesha.render(small, small.container("drafts"))


class TestLogins:
    """Whose keys open what, and that they are made once."""

    def of(self, folder: Path, profile: Profile = Profile.LAB) -> Instance:
        self.people = (Person(name="liam", keys=("ssh-ed25519 BBBB",)), Person(name="mara", keys=()))
        allowed = tuple(replace(c, logins=("liam",)) if c.name == "drafts" else c for c in CONTAINERS)
        small = estate(profile)
        modules = (replace(small.modules[0], containers=allowed),)
        self.estate = replace(small, people=self.people, modules=modules)
        return Instance(name="unit", state=folder)

    def test_only_who_may_log_in_gets_keys(self, tmp_path: Path) -> None:
        instance = self.of(tmp_path)
        found = logins(self.estate, instance)
        assert [path.name for path, _ in found.files] == ["liam.key", "liam.password"]
        assert [login.name for login in found.of(self.estate.container("drafts"))] == ["liam"]
        assert found.of(self.estate.container("weblog")) == ()
        assert len(found.people[0].keys) == 2

    def test_on_metal_the_declared_keys_alone(self, tmp_path: Path) -> None:
        instance = self.of(tmp_path, Profile.METAL)
        (login,) = logins(self.estate, instance).people
        assert login.keys == ("ssh-ed25519 BBBB",)

    def test_what_is_there_is_kept(self, tmp_path: Path) -> None:
        instance = self.of(tmp_path)
        first = logins(self.estate, instance)
        for path, secret in first.files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(secret.reveal())
        assert logins(self.estate, instance) == first
        assert first.files[0][1].reveal() not in repr(first)
