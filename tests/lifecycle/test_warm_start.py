"""The whole estate, all of it down and its images there: after a boot, and after `down`."""

import pytest

from fixtures import container
from fixtures.boot import boot
from fixtures.scratch import Scratch, bare, scratch

IMAGES = ("lighttpd", "lbmt-weblog", "lbmt-darkroom")


def test_after_a_boot_containers_are_started_not_made(whole: Scratch) -> None:
    before = container.identities(whole.instance)
    boot(whole.instance)
    plan = whole.plan()
    assert [op for op in plan if " image " in op or "+ container" in op] == []
    assert {op for op in plan if " container " in op} == {f"~ container {name}" for name in before}
    whole.apply()
    assert container.identities(whole.instance) == before
    assert whole.plan() == []
    assert whole.pluto("status").code == 0


def test_after_down_no_image_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    with scratch(bare(tmp_path_factory.mktemp("estate") / "pluto", but=IMAGES)) as made:
        assert imports(made) == {"lbmt-weblog", "lbmt-darkroom"}
        made.apply()
        assert f"kept: {made.instance.store}" in made.pluto("down").stdout
        assert imports(made) == set()
        made.apply()
        assert made.plan() == []
        made.pluto("down", "--data")
        assert imports(made) == {"lbmt-weblog", "lbmt-darkroom"}


def test_an_image_removed_by_hand_is_one_op(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Only when a container is to be made of it: one that runs needs no image."""
    with scratch(bare(tmp_path_factory.mktemp("estate") / "pluto", but=IMAGES)) as made:
        made.apply()
        made.pluto("down")
        (listed,) = made.instance.store.glob("overlay-images/images.json")
        listed.write_text("[]")
        assert imports(made) == {"lbmt-weblog", "lbmt-darkroom"}
        made.apply()
        assert made.plan() == []


def imports(made: Scratch) -> set[str]:
    return {op.split()[2] for op in made.plan() if op.startswith("+ image ")}
