"""What a generated configuration leaves out, as edits that hold only where the generated value is still what it was.

An edit is ``{"at": JSON Pointer, "from": generated value, "to": original value}``. ``from`` is absent when nothing was
generated there, ``to`` is absent when the original has nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triptych.errors import pointer_token
from triptych.layouts.numerals import is_position
from triptych.model import Json


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are three different values, NaN is one."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def difference(generated: Json, original: Json) -> list[Json]:
    """The edits that turn `generated` into `original`, outermost first."""
    return list(_difference(generated, original, ""))


def _difference(generated: Json, original: Json, at: str) -> Iterator[Json]:
    if same(generated, original):
        return
    if isinstance(generated, dict) and isinstance(original, dict) and generated.get("class_name") == original.get("class_name"):
        for key, value in generated.items():
            place = f"{at}/{pointer_token(key)}"
            if key in original:
                yield from _difference(value, original[key], place)
            else:
                yield {"at": place, "from": value}
        for key, value in original.items():
            if key not in generated:
                yield {"at": f"{at}/{pointer_token(key)}", "to": value}
    elif isinstance(generated, list) and isinstance(original, list) and len(generated) == len(original):
        for index, (one, other) in enumerate(zip(generated, original, strict=True)):
            yield from _difference(one, other, f"{at}/{index}")
    else:
        yield {"at": at, "from": generated, "to": original}


def copy(value: Json) -> Json:
    """`value` with containers of its own."""
    if isinstance(value, Mapping):
        return {key: copy(item) for key, item in value.items()}
    return [copy(item) for item in value] if isinstance(value, list | tuple) else value


def stored(extension: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The edits that an extension holds, without what is none: documents are edited by hand."""
    found = extension.get("edits")
    edits = found if isinstance(found, list | tuple) else ()
    return [edit for edit in edits if isinstance(edit, Mapping) and isinstance(edit.get("at"), str)]


def apply(generated: Json, edits: object) -> tuple[Json, list[str]]:
    """`generated` after the edits that still hold, and the places of those that do not."""
    result = copy(generated)
    failed: list[str] = []
    for edit in stored({"edits": edits}):
        at = edit["at"]
        if at == "":
            if "from" in edit and same(result, copy(edit["from"])) and "to" in edit:
                result = copy(edit["to"])
            else:
                failed.append(at)
        elif not _apply_one(result, at, edit):
            failed.append(at)
    return result, failed


def _apply_one(root: Json, at: str, edit: Mapping[str, Json]) -> bool:
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in at.split("/")[1:]]
    if not tokens:
        return False
    parent = root
    for token in tokens[:-1]:
        parent = _child(parent, token)
        if parent is None:
            return False
    last = tokens[-1]
    if isinstance(parent, list):
        if not (_is_index(last, parent) and "from" in edit and "to" in edit and same(parent[int(last)], copy(edit["from"]))):
            return False
        parent[int(last)] = copy(edit["to"])
        return True
    if not isinstance(parent, dict) or (last in parent) != ("from" in edit):
        return False
    if "from" in edit and not same(parent[last], copy(edit["from"])):
        return False
    if "to" in edit:
        parent[last] = copy(edit["to"])
    else:
        del parent[last]
    return True


def _child(parent: Json, token: str) -> Json:
    if isinstance(parent, dict):
        return parent.get(token)
    if isinstance(parent, list) and _is_index(token, parent):
        return parent[int(token)]
    return None


def _is_index(token: str, items: list[Json]) -> bool:
    return is_position(token) and int(token) < len(items)
