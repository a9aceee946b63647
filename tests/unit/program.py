"""Programs of images, loaded from where they lie: they are no part of our packages."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from specs.load import DEFAULT_FOLDER


def program(image: str, file: str) -> ModuleType:
    """The program `file` beside an image's image.yaml, as a module that has not been run."""
    found = spec_from_file_location(f"{image}.{file}".replace("-", "_"), DEFAULT_FOLDER / "images" / image / file)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their own module up
    found.loader.exec_module(module)
    return module
