# ruff: noqa: RUF001, S104  confusable digits are what this is about, and nothing binds to an address
"""Values at the borders of a CRD's schema and beyond them, for a field of each sort.

A value may be anything that JSON can say. What is interesting about text is not in a schema: addresses, networks and
durations that two parsers read differently, characters that two regular expression engines count differently.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

ADDRESSES = (
    "100.10.0.111", "8.8.8.8", "0.0.0.0", "255.255.255.255", "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.32.0.1",
    "192.168.1.1", "169.254.0.1", "169.254.0.2", "169.254.0.3", "169.254.0.4", "169.254.255.254", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "100.64.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.256", " 1.2.3.4",
    "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4/32", "0x7f.1", "2130706433", "::1", "::ffff:1.2.3.4", "::ffff:102:304", "fe80::1",
    "fe80::1%eth0", "1.2.3.4%eth0", "2001:db8::1", "2001:DB8::1", "١.٢.٣.٤", "１.2.3.4", "no-nexthop", "No-nexthop",
)  # fmt: skip
NETWORKS = (
    "10.0.1.0/24", "10.0.1.7/24", "10.0.1.0/024", "0.0.0.0/0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/",
    "10.0.0.0", "/24", "1.2.3.4/32", "255.255.255.255/32", "10.0.0.0/255.0.0.0", "010.0.0.0/8", "::/0", "2001:db8::/32",
    "2001:db8::1/32", "::ffff:10.0.0.0/104", "::ffff:a00:0/104", "fe80::%eth0/64", "10.0.1.0/24\n", "10.0.1.0/2４",
    "10.0.1.0/24/24", "2001:0db8:0000:0000:0000:0000:0000:0000/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
)  # fmt: skip
DURATIONS = (
    "24h", "23h59m59s", "23h59m59.999999999s", "1440m", "86400s", "86399s", "86400000ms", "1d", "720h", "0s", "0h", "0",
    "-24h", "+24h", "24h0m0.5s", "1.5h", ".5h", "24.h", "24H", "1e3h", "24h24h", "24h 1m", "2562047h", "2562048h",
    "2562047h47m16s", "2562047h47m17s", "9223372036s", "9223372037s", "99999999999999999999h", "24h\n", "24µs", "24μs",
    "24us", "86400000000us", "86400000000000ns", "٢٤h",
)  # fmt: skip
NAMES = (
    "edge", "Edge", "edge.prod", "-edge", "edge-", "edge_1", "_", "-", ".", "..", "a..b", "édge", "edge\n", "\nedge",
    "edge\x00", "edge\u2028", "ed ge", "\u212ador", "ſtandard", "e\u0301dge", "😀", "edge\r", "%2e%2e", "../edge",
    "netgw.dev/owner", "_cloud", "^", "~", "`", "{}", "true", "null", "0", "1.0", "fi-hel1", "fi-hel10", "FI-HEL1",
    "fi-hel１", "fi-hel1\n", "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156", "04F55CC1-BCD9-49EB-BD56-D65D7E3F2156",
    "04f55cc1-bcd9-49eb-bd56-d65d7e3f215", "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156\n", "04f55cc1bcd949ebbd56d65d7e3f2156",
)  # fmt: skip
NUMBERS = (0, 1, -1, 4, 5, 1.0, 1.5, 1e3, -0.0, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 1e19, 1e308)
ODD: tuple[Any, ...] = (None, "", " ", "0", 0, 1, -1, 1.5, True, False, [], {}, [[]], [None], {"": ""}, {"name": None})


def borders(schema: Schema) -> Iterator[Any]:
    """Every interesting value of a field with this schema, the wrong ones included."""
    yield from ODD
    match schema["type"]:
        case "string":
            yield from _texts(schema)
        case "integer":
            yield from NUMBERS
            for limit in (schema.get("minimum"), schema.get("maximum")):
                if limit is not None:
                    yield from (limit - 1, limit, limit + 1, float(limit), str(limit))
            yield from schema.get("enum", ())
        case "boolean":
            yield from ("true", "True", "yes", "on", 2)
        case "array":
            yield from _lists(schema)
        case "object" if "additionalProperties" in schema:
            yield from _maps(schema)
        case _:
            yield from ({"unknown": 1}, {"unknown": {"deep": [1]}}, [{}], "{}")


def _texts(schema: Schema) -> Iterator[Any]:
    if "enum" in schema:
        for word in schema["enum"]:
            yield from (word, word.lower(), word.upper(), word + " ", word[:-1], word + "\n", [word], word + "\x00")
        return
    yield from (*NAMES, *ADDRESSES, *NETWORKS, *DURATIONS)
    for limit in (schema.get("minLength"), schema.get("maxLength")):
        if limit is not None:
            for length in (limit - 1, limit, limit + 1):
                yield from ("a" * max(length, 0), "1" * max(length, 0), "😀" * max(length, 0), "é" * max(length, 0))
    yield from ("a" * 5000, "a." * 3000, "1h" * 12, "1h" * 13)


def _lists(schema: Schema) -> Iterator[Any]:
    one = example(schema["items"], 0)
    lengths = {0, 1, 2, schema.get("minItems", 0) - 1, schema.get("maxItems", 3), schema.get("maxItems", 3) + 1}
    for length in sorted(length for length in lengths if length >= 0):
        yield [example(schema["items"], number) for number in range(length)]
        yield [one] * length
    yield from ([one, None], [None, one], [one, [one]], {"0": one}, one)


def _maps(schema: Schema) -> Iterator[Any]:
    inner = schema["additionalProperties"]
    for key in (
        *NAMES,
        "",
        "a",
        "aa",
        "a" * 32,
        "a" * 33,
        "é" * 4,
        "a\tb",
        "a b",
        " a",
        "a ",
        "\x7fa",
        "a\x7f",
        "0",
        "__",
    ):
        yield {key: example(inner, 0)}
    for value in borders(inner):
        yield {"env": value}
    most = schema.get("maxProperties", 3)
    for length in (most - 1, most, most + 1):
        yield {f"key-{number}": "value" for number in range(length)}


def example(schema: Schema, number: int) -> Any:
    """A value that the schema takes, and with another number another one where there is one."""
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    match schema["type"]:
        case "string":
            return f"name-{number}"
        case "integer":
            return max(schema.get("minimum", 0), 5) + number
        case "boolean":
            return number % 2 == 0
        case "array":
            return [example(schema["items"], number)]
        case _:
            needed = schema.get("required", ())
            made = {
                name: example(part, number) for name, part in schema.get("properties", {}).items() if name in needed
            }
            texts = {
                "route": f"10.{number % 250}.0.0/16",
                "nexthop": "10.0.1.7",
                "staticNetwork": f"10.0.{number % 250}.0/24",
            }
            return made | {name: text for name, text in texts.items() if name in made}


def places(schema: Schema, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
    """Every field with its schema, the root included; of a list its first item stands for all."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from places(part, (*path, name))
    if schema["type"] == "array":
        yield from places(schema["items"], (*path, 0))


def planted(base: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of `base` with another value there; what is missing on the way is made."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        items = list(base) if isinstance(base, list) and base else [{}]
        return [planted(items[0], tuple(rest), value), *items[1:]]
    fields = dict(base) if isinstance(base, dict) else {}
    return fields | {first: planted(fields.get(first), tuple(rest), value)}


def without(base: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of `base` without the field."""
    if not path or not isinstance(base, dict) or path[0] not in base:
        return base
    first, *rest = path
    if not rest:
        return {name: value for name, value in base.items() if name != first}
    return base | {first: without(base[first], tuple(rest))}


def mixed(rng: random.Random, schema: Schema, base: Any, most: int = 4) -> Any:
    """`base` with some fields at a border at once: rules over several fields are only met so."""
    found = list(places(schema))[1:]
    for path, part in rng.sample(found, rng.randint(2, most)):
        base = without(base, path) if rng.random() < 0.2 else planted(base, path, rng.choice(list(borders(part))))
    return base
