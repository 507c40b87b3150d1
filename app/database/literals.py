"""Values as literals of SQL, where a statement can have no parameters."""


def quote(value: object) -> str:
    """Return a literal without a type. Postgres finds the type as it does for a parameter."""
    text = _make_array(value) if isinstance(value, list | tuple) else str(value)
    escaped = text.replace("\\", r"\\").replace("'", "''")
    return f"E'{escaped}'"


def _make_array(values: list[object] | tuple[object, ...]) -> str:
    escaped = (str(one).replace("\\", r"\\").replace('"', r"\"") for one in values)
    return "{" + ",".join(f'"{one}"' for one in escaped) + "}"
