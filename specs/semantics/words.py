"""A rule as nft writes it, from its listing (libnftables-json(5)): for the reader of a message, never read back.

Counters are told without their counts, and what has no words here is shown as it was listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Listed = Mapping[str, Any]
BARE_META = {"iif", "iifname", "iifgroup", "oif", "oifname", "oifgroup", "skuid", "skgid", "cgroup", "rtclassid"}
NAMED = {"iif", "iifname", "oif", "oifname"}  # compared with a name, which nft puts in quotes
OPERATORS = {"&", "|", "^", "<<", ">>"}
UNTOLD_BURST = 5  # nft leaves it out: its own default (nft(8), LIMIT STATEMENT)


def rule(expressions: tuple[Listed, ...], comment: str = "") -> str:
    """One rule: its statements in order, and its comment."""
    said = " ".join(statement(each) for each in expressions)
    return f'{said} comment "{comment}"'.strip() if comment else said


def statement(listed: Listed) -> str:
    """One statement of a rule."""
    name, value = next(iter(listed.items()), ("", None))
    if name not in _STATEMENTS:
        return json.dumps(listed, sort_keys=True)
    return _STATEMENTS[name](name, value or {})


def expression(listed: Any, *, quoted: bool = False) -> str:  # noqa: ANN401 (JSON)
    """A value or what is compared; `quoted` where a plain word is an interface's name."""
    if isinstance(listed, str):
        return f'"{listed}"' if quoted and not listed.startswith("@") else listed
    if isinstance(listed, list):
        return ",".join(expression(each, quoted=quoted) for each in listed)
    if not isinstance(listed, dict):
        return str(listed)
    match listed:
        case {"concat": parts}:
            return " . ".join(expression(each, quoted=quoted) for each in parts)
        case {"set": members}:
            return f"{{ {', '.join(_member(each, quoted=quoted) for each in members)} }}"
        case {"range": [low, high]}:
            return f"{expression(low)}-{expression(high)}"
        case {"elem": {"val": value}}:
            return expression(value, quoted=quoted)
    return _key(listed)


def _key(listed: Listed) -> str:
    """What is compared, and values that are not lists."""
    match listed:
        case {"meta": {"key": key}}:
            return str(key) if key in BARE_META else f"meta {key}"
        case {"payload": {"protocol": protocol, "field": field}}:
            return f"{protocol} {field}"
        case {"payload": {"base": base, "offset": offset, "len": length}}:
            return f"@{base},{offset},{length}"
        case {"ct": {"key": key, **more}}:
            return " ".join(["ct", *map(str, more.values()), str(key)])
        case {"fib": {"result": result, "flags": flags}}:
            return f"fib {' . '.join([flags] if isinstance(flags, str) else flags)} {result}"
        case {"prefix": {"addr": address, "len": length}}:
            return f"{address}/{length}"
    for operator, sides in listed.items():
        if operator in OPERATORS:
            return f" {operator} ".join(expression(each) for each in sides)
    return statement(listed)


def _member(listed: Any, *, quoted: bool) -> str:  # noqa: ANN401
    """An element of a set, or a pair of a map."""
    if isinstance(listed, list) and len(listed) == 2:
        return f"{expression(listed[0], quoted=quoted)} : {expression(listed[1])}"
    return expression(listed, quoted=quoted)


def _match(_: str, listed: Listed) -> str:
    left = listed["left"]
    named = isinstance(left, dict) and left.get("meta", {}).get("key") in NAMED
    operator = "" if listed["op"] in ("==", "in") else f"{listed['op']} "
    return f"{expression(left)} {operator}{expression(listed['right'], quoted=named)}"


def _limit(_: str, listed: Listed) -> str:
    over = "over " if listed.get("inv") else ""
    unit = listed.get("rate_unit", "packets")
    size = "" if unit == "packets" else f" {unit}"
    bound = listed.get("burst", UNTOLD_BURST)
    burst = f" burst {bound} {listed.get('burst_unit', 'packets')}" if bound != UNTOLD_BURST else ""
    return f"limit rate {over}{listed['rate']}{size}/{listed['per']}{burst}"


def _log(_: str, listed: Listed) -> str:
    quoted = {"prefix": '"{}"'}
    return " ".join(["log", *(f"{key} {quoted.get(key, '{}').format(value)}" for key, value in listed.items())])


def _reject(_: str, listed: Listed) -> str:
    kind, code = listed.get("type"), listed.get("expr")
    return f"reject with {kind}{f' {code}' if code else ''}" if kind else "reject"


def _translation(name: str, listed: Listed) -> str:
    family = f" {listed['family']}" if "family" in listed else ""
    port = f":{expression(listed['port'])}" if "port" in listed else ""
    address = expression(listed["addr"]) if "addr" in listed else ""
    flags = f" {expression(listed['flags'])}" if listed.get("flags") else ""
    return f"{name}{family} to {address}{port}{flags}" if address or port else f"{name}{flags}"


def _update(_: str, listed: Listed) -> str:
    more = "".join(f" {statement(each)}" for each in listed.get("stmt", ()))
    return f"{listed['op']} {listed['set']} {{ {expression(listed['elem'])}{more} }}"


def _plain(name: str, _: Listed) -> str:
    return name


_STATEMENTS: Mapping[str, Callable[[str, Any], str]] = {
    "match": _match,
    "jump": lambda name, value: f"{name} {value['target']}",
    "goto": lambda name, value: f"{name} {value['target']}",
    "counter": lambda name, value: f"{name} name {value}" if isinstance(value, str) else name,
    "limit": _limit,
    "log": _log,
    "vmap": lambda name, value: f"{expression(value['key'])} {name} {expression(value['data'])}",
    "mangle": lambda _, value: f"{expression(value['key'])} set {expression(value['value'])}",
    "set": _update,
    "reject": _reject,
    **dict.fromkeys(("dnat", "snat", "masquerade", "redirect"), _translation),
    **dict.fromkeys(("accept", "drop", "continue", "return", "notrack"), _plain),
}
