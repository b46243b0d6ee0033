#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the JSON Schema from standard input. Says which of its properties the
manual (first argument) does not list, and which examples (the others) do not
fit it where the module jsonschema and yaml are there. Silence is success."""
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None


def names(schema):
    """Every property of a schema and all within it."""
    if isinstance(schema, list):
        for part in schema:
            yield from names(part)
    elif isinstance(schema, dict):
        properties = schema.get("properties", {})
        if isinstance(properties, dict):
            yield from properties
        for part in schema.values():
            yield from names(part)


def as_json(value):
    """YAML has keys that are numbers; JSON has none."""
    if isinstance(value, dict):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_json(v) for v in value]
    return value


def main():
    schema = json.load(sys.stdin)
    with open(sys.argv[1], encoding="utf-8") as manual:
        listed = set(re.findall(r"^\.It (?:Ic|Va|Cm) (\S+)", manual.read(),
                                re.M))
    for name in sorted(set(names(schema)) - listed):
        print(f"{name} is not in the manual")
    if not jsonschema:
        return
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            example = as_json(yaml.safe_load(file))
        for error in jsonschema.Draft7Validator(schema).iter_errors(example):
            print(f"{path}: {error.message}")


main()
