"""Find the comparisons in a test's source that may hold floating-point results to the last bit.

``==`` and ``in`` are found where a side is floating; ``array_equal``, ``torch.equal``, ``(a == b).all()`` and the like
already where no side is known to be whole.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kinds import DIGITS, NEAR, REAL, WHOLE, Kind, Scope, called, subject, words

COMPARES = words("array_equal array_equiv assertEqual assert_array_equal assert_equal eq equal equals")
EQUAL = ast.Eq | ast.In
TOLERANT = words("allclose assert_allclose assert_close isclose")


@dataclass(frozen=True)
class Exact:
    """A comparison: the function around it ("" at the module's level), its line, its source with single spaces."""

    function: str
    line: int
    text: str


def exact_comparisons(source: str) -> list[Exact]:
    """Return the comparisons of a module's source, and of the programs in its strings, in order of lines."""
    found = []
    for name, scope in _scopes(ast.parse(source)):
        for node in _exact(scope):
            found.append(Exact(name, node.lineno, " ".join((ast.get_source_segment(source, node) or "").split())))
        for node in scope.nodes:
            if isinstance(node, ast.Constant) and _is_program(node.value):
                inside = exact_comparisons(node.value)
                found += [Exact(name, node.lineno + one.line - 1, one.text) for one in inside]
    return sorted(found, key=lambda one: (one.line, one.text))


def _is_program(value: object) -> bool:
    """Whether a literal is Python of several lines that asserts something, as tests run it in other processes."""
    if not isinstance(value, str) or "\nassert " not in value:
        return False
    try:
        return bool(ast.parse(value).body)
    except SyntaxError:
        return False


def _scopes(tree: ast.Module) -> list[tuple[str, Scope]]:
    """Return the module's scope and those of the functions that are in no other, which see the module's names too."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inner = {id(node) for function in functions for node in ast.walk(function) if node is not function}
    outermost = [function for function in functions if id(function) not in inner]
    held = inner | {id(function) for function in functions}
    module = Scope(node for node in ast.walk(tree) if id(node) not in held)
    module.functions = {function.name: Scope(ast.walk(function), module) for function in outermost}
    return [("", module), *((function.name, Scope(ast.walk(function), module)) for function in outermost)]


def _exact(scope: Scope) -> Iterator[ast.expr]:
    """Yield the comparisons of a scope that may be exact between floating-point results."""
    denied = {id(node.operand) for node in scope.nodes if isinstance(node, ast.UnaryOp)}
    elementwise = {id(node.value) for node in scope.nodes if isinstance(node, ast.Attribute) and node.attr == "all"}
    for node in scope.nodes:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others) if any(isinstance(op, EQUAL) for op in ops):
                sides = [left, *others]
                if not _is_bare(sides) and _is_real([scope.kind(side) for side in sides], id(node) in elementwise):
                    yield node
            case ast.Call() if id(node) not in denied and (sides := _held_equal(node)):
                if _is_real([scope.kind(side) for side in sides], True):
                    yield node


def _is_real(kinds: list[Kind], arrays: bool) -> bool:
    """Whether sides of these kinds hold floating-point results, as arrays do that are not known to be whole."""
    return NEAR not in kinds and (REAL in kinds or (arrays and WHOLE not in kinds))


def _held_equal(call: ast.Call) -> list[ast.expr]:
    """Return what a call holds equal to the last bit: arguments, and the object of a method."""
    name = called(call.func)
    if name == "map" and called(call.args[0]) in COMPARES:  # all(map(np.array_equal, ours, theirs))
        return call.args[1:]
    if name in COMPARES or (name in TOLERANT and _tolerates_nothing(call)):
        return [*call.args[:2], *subject(call)]
    return []


def _tolerates_nothing(call: ast.Call) -> bool:
    """Whether both tolerances are given, and are 0."""
    tolerances = [word.value for word in call.keywords if word.arg and word.arg.endswith("tol")]
    return len(tolerances) == 2 and all(isinstance(t, ast.Constant) and t.value == 0 for t in tolerances)


def _is_bare(sides: list[ast.expr]) -> bool:
    """Whether no number is compared: an order, or what is no number, unless it is a number's text."""
    return _is_order(sides) or (any(map(_is_no_number, sides)) and not any(map(_is_text_of_one, sides)))


def _is_no_number(side: ast.expr) -> bool:
    """Whether a side is a text, a type, a truth or nothing, so that the other is one too."""
    match side:
        case ast.Constant(value=str(text)):
            return not DIGITS.search(text)
        case ast.Constant(value=bool() | None) | ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.List(elts=[]):
            return True
        case _:
            return isinstance(side, ast.Attribute) and side.attr in ("dtype", "device", "shape")


def _is_text_of_one(side: ast.expr) -> bool:
    """Whether a side writes a number as text, so that digits are compared after all."""
    return isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Call) and called(side.func) in ("str", "repr"))


def _is_order(sides: list[ast.expr]) -> bool:
    """Whether a list is compared with itself, sorted: whatever its numbers are, their order is told."""
    plain = {ast.dump(side) for side in sides}
    ordered = [side.args[0] for side in sides if isinstance(side, ast.Call) and called(side.func) == "sorted"]
    return any(ast.dump(one) in plain for one in ordered)
