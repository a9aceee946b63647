"""Compile the Python files named on standard input, a path a line, and print each file that this made.

Run by bytecode.py inside an image, by the image's own interpreter, with what of the library the image has: so by as
little of it as can be. The compiled files are of the kind that is never compared with its source (PEP 552, unchecked).
One that stands already for the same source and the same interpreter is left as it is; its first 16 bytes tell.
"""

import importlib.util
import py_compile
import sys

UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: made from a hash, which is not to be looked at


def main() -> None:
    for path in sys.stdin.read().splitlines():
        made, source = importlib.util.cache_from_source(path), _read(path)
        if _head(made) != importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source):
            _compile(path, made)


def _compile(path: str, made: str) -> None:
    try:
        py_compile.compile(path, made, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except (py_compile.PyCompileError, UnicodeDecodeError):
        return  # nobody can import it either: another Python's syntax, or a template that bears the name
    print(made)


def _head(made: str) -> bytes:
    try:
        return _read(made)[:16]
    except FileNotFoundError:
        return b""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - not every image has pathlib
        return file.read()


if __name__ == "__main__":
    main()
