"""The words of the YAML files: each type takes what stands there and gives a value that is valid, or says why not.

A refusal is a ValueError of what is wrong and a hint, which specs.load puts beside the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from specs.model import Port, Protocol
from specs.naming import ESTATE_MAX, IFNAME_MAX, NAME, NAME_MAX, NAME_RULE
from specs.problems import shown

_LOGIN_KEY = r"(sk-)?(ssh-ed25519|ecdsa-sha2-nistp(256|384|521))(@openssh\.com)? [A-Za-z0-9+/]{60,}={0,2}( [ -~]*)?"
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_MEMORY_MIN, _MEMORY_MAX = 6 * 1024**2, 1024**5  # bytes; below 6M the runtime itself does not get to start
T = TypeVar("T")


class RawEnd(NamedTuple):
    node: str
    address: IPv4Address


class RawFlow(NamedTuple):
    source_node: str
    target: str
    port: Port


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        raise ValueError(f"{shown(value)} is no name", NAME_RULE)
    return _at_most(NAME_MAX, value)


def _at_most(length: int, value: str) -> str:
    if len(value) > length:
        raise ValueError(f"{shown(value)} has {len(value)} characters", f"{length} at most")
    return value


def _number(value: int) -> int:
    if not 1 <= value <= 65535:
        raise ValueError(f"port {value} is out of range", "1 to 65535")
    return value


def _port(value: str) -> Port:
    protocol, _, number = value.partition("/")
    if protocol not in tuple(Protocol) or not re.fullmatch(r"[0-9]{1,9}", number):
        raise ValueError(f"{shown(value)} is no port", "write tcp/443 or udp/51820")
    return Port(protocol=Protocol(protocol), number=_number(int(number)))


def _end(value: object) -> RawEnd:
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2:
        hint = "write its node and its address, such as git-web 172.16.4.1"
        raise ValueError(f"{shown(value)} is no end of a link", hint)
    return RawEnd(_name(words[0]), _address(words[1]))


def _flow(value: object) -> RawFlow:
    words = value.split() if isinstance(value, str) else []
    if len(words) != 4 or words[1] != "->":
        hint = "write who opens it, to whom, and the port, such as a -> b tcp/8080"
        raise ValueError(f"{shown(value)} is no flow", hint)
    return RawFlow(_name(words[0]), _name(words[2]), _port(words[3]))


def _address(value: object) -> IPv4Address:
    """The address of one interface. RFC 6890 tells which ones nobody can have."""
    try:
        address = IPv4Address(value if isinstance(value, str | IPv4Address) else str(value))
    except ValueError as error:
        raise ValueError(f"{shown(value)} is no IPv4 address", "four numbers up to 255, with dots") from error
    if address in IPv4Network("0.0.0.0/8") or address.is_loopback or address.is_multicast or address.is_reserved:
        raise ValueError(f"`{address}` can be no interface's own", "0/8, 127/8, multicast and 240/4 have other uses")
    return address


def _network(value: object) -> IPv4Network:
    try:
        return IPv4Network(value if isinstance(value, str | IPv4Network) else str(value))
    except ValueError as error:
        raise ValueError(f"{shown(value)} is no IPv4 network: {error}", "write it like 192.168.1.0/24") from error


def _size(value: object) -> int:
    match = re.fullmatch(r"([0-9]{1,18})([KMG]?)", str(value))
    if not match:
        raise ValueError(f"{shown(value)} is no size", "write bytes, or a number with K, M or G, such as 128M")
    size = int(match[1]) * _UNITS[match[2]]
    if not _MEMORY_MIN <= size <= _MEMORY_MAX:
        raise ValueError(f"{shown(value)} of memory is out of range", "6M to 1048576G")
    return size


def _absolute(value: object) -> str:
    """A path below /. A colon or comma parts podman's own arguments (podman-run(1), --volume, --mount)."""
    if value == "/":
        return "/"
    if not isinstance(value, str) or not re.fullmatch(r"(/[^/:,\x00-\x1f\x7f]{1,255})+/?", value):
        raise ValueError(f"{shown(value)} is no absolute path", "no empty part, colon, comma or control character")
    return _straight(value.rstrip("/"))


def _relative(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^/\x00-\x1f\x7f]{1,255}(/[^/\x00-\x1f\x7f]{1,255})*/?", value):
        raise ValueError(f"{shown(value)} is no relative path", "write it like www/index.html")
    return _straight(value.rstrip("/"))


def _straight(value: str) -> str:
    if {".", ".."} & set(value.split("/")):
        raise ValueError(f"{shown(value)} goes through . or ..", "write the path itself")
    return value


def _web_path(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/(?:[A-Za-z0-9._~-]+/)*", value):
        raise ValueError(f"{shown(value)} is no site path", "it begins and ends with /, such as /git/")
    return _straight(value)


def _device(value: object) -> str:
    path = _absolute(value)
    if not path.startswith("/dev/"):
        raise ValueError(f"{shown(value)} is no device", "it stands under /dev/")
    return path


def _hostname(value: object) -> str:
    """A DNS name in lower case (RFC 1123 section 2.1), not a number that reads as an address."""
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if not isinstance(value, str) or not re.fullmatch(rf"{label}(\.{label})*", value) or len(value) > 253:
        raise ValueError(f"{shown(value)} is no host name", "write it in lower case, like lbmt.example")
    if value.split(".")[-1].isdigit():
        raise ValueError(f"{shown(value)} is no host name", "its last part is a number")
    return value


def _login_key(value: object) -> str:
    """A line of authorized_keys(5) without options: what it may do is the container's business, not the key's."""
    if not isinstance(value, str) or not re.fullmatch(_LOGIN_KEY, value):
        raise ValueError(f"{shown(value)} is no public key", "write it like ssh-ed25519 AAAA…, as in a .pub file")
    return " ".join(value.split()[:2])


def _public_key(value: object) -> str:
    # 32 bytes: of the last character only four bits are used
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", value):
        raise ValueError("no WireGuard public key", "44 characters of base64, as `wg pubkey` prints them")
    return value


def _matching(pattern: str, told: str, hint: str) -> BeforeValidator:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{shown(value)} is no {told}", hint if isinstance(value, str) else "put it in quotes")
        return value

    return BeforeValidator(parse)


def _once(values: list[T]) -> list[T]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{shown(value)} stands twice in one list", "drop one of them")
    return values


def _short(length: int) -> Callable[[str], str]:
    return lambda value: _at_most(length, value)


def _text_schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


_PRINTABLE = "it is empty, or has control characters in it"
_TEXT = r"(?=\s*\S)[^\x00-\x09\x0b-\x1f\x7f-\x9f]+"
_LINE = r"[^\x00-\x1f\x7f-\x9f]+"
_PACKAGE = r"[A-Za-z0-9][A-Za-z0-9.+_=~:@/-]*"  # never an option of apt or apk
_PROJECT, _VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]*", r"[A-Za-z0-9][A-Za-z0-9.+!_-]*"
_JAVA_MODULE = r"[a-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*"
_HEADER_NAME = r"[A-Za-z0-9][A-Za-z0-9-]*"
_HEADER_HINT = "letters, digits and dashes"
_HEADER_VALUE = r"[^\x00-\x1f\x7f-\U0010ffff\\{}]+"  # ASCII; Caddy reads {placeholders}, and a \ at the end as \"

Name = Annotated[str, BeforeValidator(_name), _text_schema(NAME)]
EstateName = Annotated[Name, AfterValidator(_short(ESTATE_MAX))]
InterfaceName = Annotated[Name, AfterValidator(_short(IFNAME_MAX))]
End = Annotated[RawEnd, BeforeValidator(_end), _text_schema(r"\S+ +\d+\.\d+\.\d+\.\d+")]
Allow = Annotated[RawFlow, BeforeValidator(_flow), _text_schema(r"\S+ +-> +\S+ +(tcp|udp)/\d+")]
Address = Annotated[IPv4Address, BeforeValidator(_address)]
Network = Annotated[IPv4Network, BeforeValidator(_network), _text_schema(r"\d+\.\d+\.\d+\.\d+/\d+")]
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^\d+[KMG]?$"}, {"type": "integer"}]}),
]
Absolute = Annotated[str, BeforeValidator(_absolute), _text_schema("/.*")]
Relative = Annotated[str, BeforeValidator(_relative), _text_schema("[^/].*")]
Device = Annotated[str, BeforeValidator(_device), _text_schema("/dev/.+")]
UrlPath = Annotated[str, _matching(r"/[!-~]*", "path of a request", "write it like /health"), _text_schema(r"/[!-~]*")]
WebPath = Annotated[str, BeforeValidator(_web_path), _text_schema("/(.*/)?")]
Hostname = Annotated[str, BeforeValidator(_hostname), _text_schema(r"[a-z0-9.-]+")]
LoginKey = Annotated[
    str,
    BeforeValidator(_login_key),
    _text_schema(_LOGIN_KEY),
]
PublicKey = Annotated[str, BeforeValidator(_public_key), _text_schema("[A-Za-z0-9+/]{43}=")]
Number = Annotated[int, AfterValidator(_number), Field(json_schema_extra={"minimum": 1, "maximum": 65535})]
Uid = Annotated[int, Field(ge=0, le=65535)]
MachineUid = Annotated[int, Field(ge=0, le=2**31 - 1)]  # the largest that runc starts a process as
Owner = Annotated[int, Field(ge=1, le=65535)]  # a person of the machine: never its root
Text = Annotated[str, _matching(_TEXT, "text", _PRINTABLE), WithJsonSchema({"type": "string"})]
Line = Annotated[str, _matching(_LINE, "line of text", _PRINTABLE), WithJsonSchema({"type": "string"})]
HeaderName = Annotated[str, _matching(_HEADER_NAME, "header's name", _HEADER_HINT), _text_schema(_HEADER_NAME)]
HeaderValue = Annotated[
    str,
    _matching(_HEADER_VALUE, "header's value", "one line of ASCII without backslash and braces"),
    WithJsonSchema({"type": "string"}),
]
Package = Annotated[str, _matching(_PACKAGE, "package", "as the distribution writes it"), _text_schema(_PACKAGE)]
JavaModule = Annotated[
    str, _matching(_JAVA_MODULE, "Java module", "write it like java.base"), _text_schema(_JAVA_MODULE)
]
Project = Annotated[str, _matching(_PROJECT, "project's name", "letters, digits and dots"), _text_schema(_PROJECT)]
Version = Annotated[str, _matching(_VERSION, "version", "write it like 2.11.7"), _text_schema(_VERSION)]
Sha256 = Annotated[str, _matching("[0-9a-f]{64}", "sha256", "64 hexadecimal digits"), _text_schema("[0-9a-f]{64}")]
Once = Annotated[list[T], AfterValidator(_once), Field(json_schema_extra={"uniqueItems": True})]
