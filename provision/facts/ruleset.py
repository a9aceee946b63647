"""A namespace's whole nftables ruleset, as the kernel holds it: one digest, and what there is of each kind.

The dump is netlink's own (include/uapi/linux/netfilter/nf_tables.h), not nft's listing, which leaves things out
(FACTS 4). What changes by itself is left out of the digest: handles, positions, use counts, counter values, and
the elements of sets that rules fill at run time (law 1: deny and meter sets may vary).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from provision.netlink import Socket, attribute, attributes, walk

_SUBSYSTEM = 10 << 8
_NEWTABLE, _GETTABLE, _NEWCHAIN, _GETCHAIN, _NEWRULE, _GETRULE = 0, 1, 3, 4, 6, 7
_NEWSET, _GETSET, _NEWSETELEM, _GETSETELEM, _GETGEN = 9, 10, 12, 13, 16
_NEWOBJ, _GETOBJ, _NEWFLOWTABLE, _GETFLOWTABLE = 18, 19, 22, 23
_NFGENMSG = struct.Struct("=BBH")
_UNSPEC = _NFGENMSG.pack(0, 0, 0)
# Attributes that are the kernel's bookkeeping: (handle, use …) of each kind of object.
_TABLE_STRIP = {3, 4}  # USE, HANDLE
_CHAIN_STRIP = {2, 6, 8, 11}  # HANDLE, USE, COUNTERS, ID
_RULE_STRIP = {3, 6, 9}  # HANDLE, POSITION, ID
_SET_STRIP = {10, 16}  # ID, HANDLE
_OBJ_STRIP = {5, 6}  # USE, HANDLE
_FLOWTABLE_STRIP = {4, 5}  # USE, HANDLE
_RULE_TABLE, _RULE_CHAIN, _RULE_HANDLE, _RULE_EXPRESSIONS = 1, 2, 3, 4
_SET_NAME, _SET_TABLE, _SET_FLAGS, _ELEMENTS = 2, 1, 3, 3
_CHAIN_NAME, _RULE_USERDATA = 3, 7
NO_COMMENT = "without comment"
_KINDS = {_NEWSET: "set", _NEWOBJ: "object", _NEWFLOWTABLE: "flowtable"}
_INET = 1  # NFPROTO_INET
_SET_DYNAMIC = 0x10 | 0x20  # NFT_SET_TIMEOUT, NFT_SET_EVAL
_ELEMENT_STRIP = {5, 7}  # EXPIRATION, EXPR (its counters)
Table = tuple[int, str]  # family (NFPROTO_…), name
Chain = tuple[int, str, str]


Piece = tuple[str, str]  # what it is, in words; a digest of what it says


@dataclass(frozen=True, kw_only=True)
class ActualRuleset:
    digest: str
    tables: int
    chains: int
    rules: int
    pieces: tuple[Piece, ...] = ()  # each of its objects, in the kernel's order: to tell what differs

    def __str__(self) -> str:
        return f"{self.tables} tables, {self.chains} chains, {self.rules} rules"


def read(kernel: Socket) -> ActualRuleset:
    """The ruleset of the socket's namespace, in one generation (read again when it changes meanwhile)."""
    while True:
        before = generation(kernel)
        parts = list(_parts(kernel))
        if generation(kernel) == before:
            break
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    kinds = [part[0] for part in parts]
    return ActualRuleset(
        digest=digest.hexdigest(),
        tables=kinds.count(_NEWTABLE),
        chains=kinds.count(_NEWCHAIN),
        rules=kinds.count(_NEWRULE),
        pieces=tuple(_pieces(parts)),
    )


def _pieces(parts: Iterable[bytes]) -> Iterator[Piece]:
    name = ""
    for part in parts:
        found = attributes(part[2:]) if part[0] != _NEWSETELEM else {}
        match part[0]:
            case kind if kind == _NEWTABLE:
                what = f"table {_name(found[1])}"
            case kind if kind == _NEWCHAIN:
                what = f"chain {_name(found[_CHAIN_NAME])}"
            case kind if kind == _NEWRULE:
                comment, chain = _comment(found.get(_RULE_USERDATA, b"")), _name(found[_RULE_CHAIN])
                what = f"rule `{comment}` of {chain}" if comment else f"a rule of {chain} {NO_COMMENT}"
            case kind if kind == _NEWSETELEM:
                what = f"the content of set {name}"  # they follow their set
            case kind:
                name = _name(found[_SET_NAME])
                what = f"{_KINDS[kind]} {name}"
        yield what, hashlib.blake2s(part, digest_size=8).hexdigest()


def _comment(userdata: bytes) -> str:
    """What nft keeps beside a rule (libnftnl/udata.h): type, length, value; a comment is type 0."""
    at = 0
    while at + 2 <= len(userdata):
        kind, length = userdata[at], userdata[at + 1]
        if kind == 0:
            return userdata[at + 2 : at + 2 + length].rstrip(b"\0").decode(errors="replace")
        at += 2 + length
    return ""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What rules and sets say, without names of their own: to compare two namespaces' piece by piece."""

    rules: Mapping[Chain, tuple[tuple[int, bytes], ...]]  # handle, expressions; in order
    sets: Mapping[
        Table, Mapping[str, tuple[bytes, ...]]
    ]  # of each table: elements of sets that do not fill by themselves


def hold(kernel: Socket) -> Held:
    """The rules and sets of the socket's namespace."""
    rules: dict[Chain, list[tuple[int, bytes]]] = {}
    for kind, body in kernel.dump(_SUBSYSTEM | _GETRULE, _UNSPEC, what="dump the rules"):
        if kind == _SUBSYSTEM | _NEWRULE:
            found = attributes(body, _NFGENMSG.size)
            told = b"".join(_expression(each) for _, each in walk(found.get(_RULE_EXPRESSIONS, b"")))
            chain = (body[0], _name(found[_RULE_TABLE]), _name(found[_RULE_CHAIN]))
            rules.setdefault(chain, []).append((int.from_bytes(found[_RULE_HANDLE], "big"), told))
    sets: dict[Table, dict[str, tuple[bytes, ...]]] = {}
    for kind, body in kernel.dump(_SUBSYSTEM | _GETSET, _UNSPEC, what="dump the sets"):
        found = attributes(body, _NFGENMSG.size)
        if kind == _SUBSYSTEM | _NEWSET and not _fills(found):
            elements = tuple(sorted(_elements(kernel, body[0], found)))
            sets.setdefault((body[0], _name(found[_SET_TABLE])), {})[_name(found[_SET_NAME])] = elements
    return Held(rules={chain: tuple(each) for chain, each in rules.items()}, sets=sets)


def _name(value: bytes) -> str:
    return value.rstrip(b"\0").decode()


def _fills(found: dict[int, bytes]) -> bool:
    return bool(int.from_bytes(found.get(_SET_FLAGS, b""), "big") & _SET_DYNAMIC)


def generation(kernel: Socket) -> bytes:
    """The number of the ruleset's last transaction, as the kernel tells it."""
    answers = kernel.ask(_SUBSYSTEM | _GETGEN, _UNSPEC, what="read the ruleset's generation")
    return attributes(answers[0][1], _NFGENMSG.size)[1]


def _parts(kernel: Socket) -> Iterator[bytes]:
    yield from _objects(kernel, _GETTABLE, _NEWTABLE, lambda kind, value: _keep(kind, value, _TABLE_STRIP))
    yield from _objects(kernel, _GETCHAIN, _NEWCHAIN, lambda kind, value: _keep(kind, value, _CHAIN_STRIP))
    yield from _objects(kernel, _GETRULE, _NEWRULE, _rule)
    yield from _objects(kernel, _GETOBJ, _NEWOBJ, lambda kind, value: _keep(kind, value, _OBJ_STRIP))
    yield from _objects(kernel, _GETFLOWTABLE, _NEWFLOWTABLE, lambda k, v: _keep(k, v, _FLOWTABLE_STRIP))
    yield from _sets(kernel)


def _objects(kernel: Socket, get: int, new: int, keep: Callable[[int, bytes], bytes]) -> Iterator[bytes]:
    for kind, body in kernel.dump(_SUBSYSTEM | get, _UNSPEC, what="dump the ruleset"):
        if kind == _SUBSYSTEM | new:
            kept = b"".join(keep(name, value) for name, value in walk(body, _NFGENMSG.size))
            yield bytes((new, body[0])) + kept


def _keep(kind: int, value: bytes, strip: set[int]) -> bytes:
    return b"" if kind in strip else attribute(kind, value)


def _rule(kind: int, value: bytes) -> bytes:
    if kind != _RULE_EXPRESSIONS:
        return _keep(kind, value, _RULE_STRIP)
    return attribute(kind, b"".join(_expression(expression) for _, expression in walk(value)))


def _expression(body: bytes) -> bytes:
    found = attributes(body)
    name = found[1]
    return attribute(1, name) if name.rstrip(b"\0") == b"counter" else attribute(1, body)


def _sets(kernel: Socket) -> Iterator[bytes]:
    for kind, body in kernel.dump(_SUBSYSTEM | _GETSET, _UNSPEC, what="dump the sets"):
        if kind != _SUBSYSTEM | _NEWSET:
            continue
        found = attributes(body, _NFGENMSG.size)
        known = {name: value for name, value in found.items() if name not in _SET_STRIP and name <= 16}
        yield bytes((_NEWSET, body[0])) + b"".join(attribute(name, value) for name, value in sorted(known.items()))
        if not _fills(found):
            yield bytes((_NEWSETELEM, body[0])) + b"".join(sorted(_elements(kernel, body[0], found)))


def dynamic_elements(kernel: Socket) -> Iterator[tuple[str, str, bytes]]:
    """Every element of the inet sets that fill at run time: table, set, the element as the kernel tells it."""
    for kind, body in kernel.dump(_SUBSYSTEM | _GETSET, _UNSPEC, what="dump the sets"):
        found = attributes(body, _NFGENMSG.size)
        if kind == _SUBSYSTEM | _NEWSET and body[0] == _INET and _fills(found):
            table, name = (_name(found[key]) for key in (_SET_TABLE, _SET_NAME))
            yield from ((table, name, element) for element in _listed(kernel, body[0], found))


def _elements(kernel: Socket, family: int, found: dict[int, bytes]) -> Iterator[bytes]:
    for element in _listed(kernel, family, found):
        yield b"".join(_keep(name, value, _ELEMENT_STRIP) for name, value in walk(element))


def _listed(kernel: Socket, family: int, found: dict[int, bytes]) -> Iterator[bytes]:
    where = attribute(1, found[_SET_TABLE]) + attribute(2, found[_SET_NAME])
    question = _NFGENMSG.pack(family, 0, 0) + where
    for kind, body in kernel.dump(_SUBSYSTEM | _GETSETELEM, question, what="dump a set's elements"):
        if kind == _SUBSYSTEM | _NEWSETELEM:
            listed = attributes(body, _NFGENMSG.size).get(_ELEMENTS, b"")
            yield from (element for _, element in walk(listed))
