"""A rule as nft writes it, from its listing (libnftables-json(5)): for the reader of a message, never read back.

Counters are told without their counts, and what has no words here is shown as it was listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Listed = Mapping[str, Any]
BARE_META = {"iif", "iifname", "iifgroup", "oif", "oifname", "oifgroup", "skuid", "skgid", "cgroup", "rtclassid"}
NAMED = {"iif", "iifname", "oif", "oifname"}  # compared with a name, which nft puts in quotes
TRANSLATIONS = {"dnat", "snat", "masquerade", "redirect"}
OPERATORS = {"&", "|", "^", "<<", ">>"}
UNTOLD_BURST = 5  # nft leaves it out: NFT_LIMIT's own default (nft(8), limit statement)
VERDICTS = {"accept", "drop", "continue", "return", "notrack"}


def rule(listed: Listed) -> str:
    """One rule of a listing: what stands below "rule"."""
    said = " ".join(statement(each) for each in listed.get("expr", ()))
    comment = listed.get("comment")
    return f'{said} comment "{comment}"'.strip() if comment else said


def policy(listed: Listed) -> str:
    """A base chain's policy, where no rule of it decided: what stands below "chain"."""
    return f"policy {listed.get('policy', 'accept')} of chain {listed['name']} ({listed['family']} {listed['table']})"


def statement(listed: Listed) -> str:
    """One statement of a rule."""
    for name, value in listed.items():
        match name, value:
            case "match", dict():
                return _match(value)
            case (("jump" | "goto"), {"target": target}):
                return f"{name} {target}"
            case "counter", _:
                return f"counter name {value}" if isinstance(value, str) else "counter"
            case "limit", dict():
                return _limit(value)
            case "log", _:
                return _log(value or {})
            case "vmap", {"key": key, "data": data}:
                return f"{expression(key)} vmap {expression(data)}"
            case "mangle", {"key": key, "value": new}:
                return f"{expression(key)} set {expression(new)}"
            case "set", {"op": operation, "elem": element, "set": target}:
                more = "".join(f" {statement(each)}" for each in value.get("stmt", ()))
                return f"{operation} {target} {{ {expression(element)}{more} }}"
            case "reject", _:
                return _reject(value or {})
            case _ if name in TRANSLATIONS:
                return _translation(name, value or {})
            case _ if name in VERDICTS:
                return name
    return json.dumps(listed, sort_keys=True)


def expression(listed: Any, *, quoted: bool = False) -> str:  # noqa: ANN401 (JSON)
    """A value or what is compared; `quoted` where a plain word is an interface's name."""
    match listed:
        case str():
            return f'"{listed}"' if quoted and not listed.startswith("@") else listed
        case list():
            return ",".join(expression(each, quoted=quoted) for each in listed)
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
        case {"concat": parts}:
            return " . ".join(expression(each, quoted=quoted) for each in parts)
        case {"set": members}:
            return f"{{ {', '.join(_member(each, quoted=quoted) for each in members)} }}"
        case {"prefix": {"addr": address, "len": length}}:
            return f"{address}/{length}"
        case {"range": [low, high]}:
            return f"{low}-{high}"
        case {"elem": {"val": value}}:
            return expression(value, quoted=quoted)
        case dict():
            return _operation(listed)
    return str(listed)


def _operation(listed: Listed) -> str:
    """Two values joined by an operator, else a verdict of a map."""
    for operator, sides in listed.items():
        if operator in OPERATORS:
            return f" {operator} ".join(expression(each) for each in sides)
    return statement(listed)


def _member(listed: Any, *, quoted: bool) -> str:  # noqa: ANN401
    """An element of a set, or a pair of a map."""
    if isinstance(listed, list) and len(listed) == 2:
        return f"{expression(listed[0], quoted=quoted)} : {expression(listed[1])}"
    return expression(listed, quoted=quoted)


def _match(listed: Listed) -> str:
    left = listed["left"]
    named = isinstance(left, dict) and left.get("meta", {}).get("key") in NAMED
    operator = "" if listed["op"] in ("==", "in") else f"{listed['op']} "
    return f"{expression(left)} {operator}{expression(listed['right'], quoted=named)}"


def _limit(listed: Listed) -> str:
    over = "over " if listed.get("inv") else ""
    unit = listed.get("rate_unit", "packets")
    size = "" if unit == "packets" else f" {unit}"
    bound = listed.get("burst", UNTOLD_BURST)
    burst = f" burst {bound} {listed.get('burst_unit', 'packets')}" if bound != UNTOLD_BURST else ""
    return f"limit rate {over}{listed['rate']}{size}/{listed['per']}{burst}"


def _log(listed: Listed) -> str:
    quoted = {"prefix": '"{}"'}
    return " ".join(["log", *(f"{key} {quoted.get(key, '{}').format(value)}" for key, value in listed.items())])


def _reject(listed: Listed) -> str:
    match listed:
        case {"type": "tcp reset"}:
            return "reject with tcp reset"
        case {"type": kind, "expr": code}:
            return f"reject with {kind} {code}"
    return "reject"


def _translation(name: str, listed: Listed) -> str:
    family = f" {listed['family']}" if "family" in listed else ""
    port = f":{expression(listed['port'])}" if "port" in listed else ""
    address = expression(listed["addr"]) if "addr" in listed else ""
    flags = listed.get("flags", ())
    more = f" {expression(flags)}" if flags else ""
    return f"{name}{family} to {address}{port}{more}" if address or port else f"{name}{more}"
