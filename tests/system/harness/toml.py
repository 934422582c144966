"""Writes the TOML of a node's configuration: tables, arrays of tables, and plain values."""

import json


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)  # TOML's basic strings escape as JSON's do


def _is_table_list(value):
    return isinstance(value, list) and value and isinstance(value[0], dict)


def dumps(table, path=()):
    """Dictionaries become tables; lists of dictionaries do at the top level, and stay inline below."""
    lines = []
    later = []
    for key, value in table.items():
        if isinstance(value, dict) or (not path and _is_table_list(value)):
            later.append((key, value))
        else:
            lines.append(f"{key} = {_value(value)}")
    for key, value in later:
        name = ".".join((*path, key))
        if isinstance(value, dict):
            lines += ["", f"[{name}]", dumps(value, (*path, key))]
            continue
        for item in value:
            lines += ["", f"[[{name}]]", dumps(item, (*path, key))]
    return "\n".join(lines)
