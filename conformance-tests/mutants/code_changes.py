"""Every small change to the code of a module that still compiles: one operator, comparison, constant, index or statement at a time."""

import __future__
import ast
from dataclasses import dataclass
from functools import partial

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.MatMult: ast.Mult,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}
NAMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax", "argmax": "argmin", "floor": "ceil", "ceil": "floor",
    "sum": "mean", "mean": "sum", "any": "all", "all": "any", "sqrt": "square", "square": "sqrt", "exp": "expm1", "log": "log1p", "sin": "cos", "cos": "sin",
    "little": "big",
}
"""Names of functions, and what stands in their place."""
SKIPPED = {"annotation", "returns", "decorator_list", "args", "type_params"}
"""Parts of a definition that its calls do not run."""
INDIFFERENT = {"strict", "copy", "optimize"}
"""Arguments that change no result."""


@dataclass(frozen=True)
class Unit:
    """A function, method or lambda that stands outside any other, with the statement of the module that holds it."""

    name: str
    node: ast.AST
    statement: ast.stmt

    @property
    def lines(self):
        return range(self.node.lineno, self.node.end_lineno + 1)


@dataclass(frozen=True)
class Change:
    """One change to a unit: what makes it and what takes it back."""

    unit: Unit
    line: int
    said: str
    lines: range
    """Those of the code that the change is in: where none of them runs, nobody can notice it."""
    make: object
    undo: object


def units(tree):
    """The units of a module, in order."""
    def within(node, statement, prefix, label):
        if isinstance(node, ast.FunctionDef):
            yield Unit(prefix + node.name, node, statement)
        elif isinstance(node, ast.Lambda):
            yield Unit(f"{prefix}{label or 'lambda'}", node, statement)
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                yield from within(one, statement, f"{prefix}{node.name}.", label)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                yield from within(value, statement, prefix, key.value if isinstance(key, ast.Constant) else label)
        else:
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                label = node.args[0].value
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                label = node.targets[0].id
            for one in ast.iter_child_nodes(node):
                yield from within(one, statement, prefix, label)

    return [unit for statement in tree.body for unit in within(statement, statement, "", "")]


def changes(unit, *, strings=False):
    """The changes to `unit`, in order; those of its strings where names are what it makes."""
    found = []
    body = unit.node.body if isinstance(unit.node.body, list) else [unit.node.body]
    for index, one in enumerate(body):
        _visit(unit, one, (unit.node, "body", index if isinstance(unit.node.body, list) else None), one, strings, found)
    return found


def compiled(unit, filename):
    """The code of the statement that holds `unit`, as it stands now."""
    return compile(ast.Module([unit.statement], []), filename, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)


def nested(code):
    """The codes within `code`, inner ones after outer ones."""
    for one in code.co_consts:
        if hasattr(one, "co_code"):
            yield one
            yield from nested(one)


def _put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _visit(unit, node, place, statement, strings, found):
    if isinstance(node, (ast.Raise, ast.Assert)) or _is_docstring(node) or (isinstance(node, ast.keyword) and node.arg in INDIFFERENT):
        return
    if isinstance(node, ast.stmt):
        statement = node
    for replacement, said in _replacements(node, place, strings):
        last = node.end_lineno if isinstance(statement, ast.stmt) and hasattr(statement, "body") else statement.end_lineno
        ast.copy_location(replacement, node)
        ast.fix_missing_locations(replacement)
        found.append(Change(unit, node.lineno, said, range(statement.lineno, last + 1), partial(_put, *place, replacement), partial(_put, *place, node)))
    for field, value in ast.iter_fields(node):
        if field in SKIPPED and not isinstance(node, ast.Call):
            continue
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(one, ast.AST) and not isinstance(node, ast.JoinedStr):
                _visit(unit, one, (node, field, index if isinstance(value, list) else None), statement, strings, found)


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replacements(node, place, strings):
    """(another node, what that changes) for each change to `node` itself."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            other = OPERATORS[type(op)]
            yield ast.BinOp(left, other(), right), f"{_text(node)} with {other.__name__}"
        case ast.AugAssign(target, op, value):
            yield ast.Pass(), f"without {_text(node)}"
            if type(op) in OPERATORS:
                yield ast.AugAssign(target, OPERATORS[type(op)](), value), f"{_text(node)} with {OPERATORS[type(op)].__name__}"
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield operand, f"{_text(node)} without -"
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as value)):
            yield ast.Constant(1 - value), f"{_text(node)} → {1 - value}"
        case ast.UnaryOp(ast.Not(), operand):
            yield operand, f"{_text(node)} without not"
        case ast.Compare(left, [op], others):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(left, [other()], others), f"{_text(node)} with {other.__name__}"
        case ast.BoolOp(op, values):
            other = ast.Or if isinstance(op, ast.And) else ast.And
            yield ast.BoolOp(other(), values), f"{_text(node)} with {other.__name__}"
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse), f"{_text(node)} with not"
        case ast.If(test, body, orelse) | ast.While(test, body, orelse) if not isinstance(test, (ast.Compare, ast.UnaryOp)):
            yield type(node)(ast.UnaryOp(ast.Not(), test), body, orelse), f"{_text(test)} with not"
        case ast.Constant(bool() as value):
            yield ast.Constant(not value), f"{value} → {not value}"
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1), f"{value} → {value + 1}"
            if value and place[1] != "operand":
                yield ast.Constant(value - 1), f"{value} → {value - 1}"
        case ast.Constant(float() as value) if value == value and abs(value) != float("inf"):
            other = value * 1.1 if value else 0.1
            yield ast.Constant(other), f"{value} → {other}"
        case ast.Constant(str() as value) if value in NAMES:
            yield ast.Constant(NAMES[value]), f"{value!r} → {NAMES[value]!r}"
        case ast.Constant(str() as value) if strings and value:
            yield ast.Constant(value + "x"), f"{value!r} → {value + 'x'!r}"
        case ast.Attribute(value, attribute, context) if attribute in NAMES:
            yield ast.Attribute(value, NAMES[attribute], context), f".{attribute} → .{NAMES[attribute]}"
        case ast.Name(name, ast.Load()) if name in {"min", "max", "any", "all"}:
            yield ast.Name(NAMES[name], ast.Load()), f"{name} → {NAMES[name]}"
        case ast.Assign([ast.Name(name)], value) if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value)):
            yield ast.Pass(), f"without {_text(node)}"
        case ast.Expr(value) if isinstance(value, ast.Call):
            yield ast.Pass(), f"without {_text(node)}"


def _text(node):
    text = ast.unparse(node)
    return text if len(text) < 60 else text[:57] + "…"
