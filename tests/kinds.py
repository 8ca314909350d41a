"""Whether the numbers of an expression are whole or floating, as far as the syntax tree tells.

It follows from literals, from the functions of math, numpy and torch, from what a name was given in the same scope, and
from the project's own names below.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import IntEnum


class Kind(IntEnum):
    """What the numbers of an expression are; of several, the largest."""

    WHOLE = 0  # integers, booleans, text, and floats made from them
    UNKNOWN = 1
    REAL = 2  # results of floating-point arithmetic
    NEAR = 3  # compared within a tolerance


WHOLE, UNKNOWN, REAL, NEAR = Kind


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# Attributes, columns and functions of the project: whole by contract, or floating.
OUR_WHOLE = words(
    """answer answers answers_from_tokens betti betti_by_rule cells connections converged cycles
    describe digest evaluations exact failure first_and_last first_right generate goal images index
    iterate last_right layout_hashes layout_splits lengths limit limit_right median_first_right n_shortest
    optimal path_length paths period prediction predictions raster rungs score_one solve start stream_key
    targets to_graphs token_ids valid"""
)
OUR_REAL = words(
    """asymptotic cosine dependent difference_interval difference_test final flipping high holm latent learning_rate
    logits loss low lyapunov mcnemar mean_evaluations p_value pairwise_distances power residual share share_at_most
    spectral_radius state_sha256 summary weight weights_sha256"""
)
# Functions and methods of Python, numpy and torch: what counts, what returns the kind it is given, what computes, and
# what makes numbers of no history.
COUNTS = words(
    """all any argmax argmin argsort argwhere bincount bool bytes ceil comb count count_nonzero exists factorial
    flatnonzero floor gcd hash id int integers isfinite isinf is_not_null isnan isqrt keys len long name nonzero numel
    ord permutation randint randperm range read_bytes read_text searchsorted shape size splitlines type"""
)
KEEPS = words(
    """abs amax amin arange array asarray ascontiguousarray broadcast_to cat clamp clip clone concatenate contiguous
    copy cpu cumsum detach dict diff double enumerate expand flatten flip float32 float64 from_numpy frozenset
    full full_like half hexdigest items list map max min model_dump model_dump_json next numpy permute ravel
    repeat repr reshape reversed roll set sha256 sorted squeeze stack str sum swapaxes tensor tile to to_dict
    transpose tuple unique unsqueeze values view where zip"""
)
COMPUTES = words("cos cosh det exp inv log log10 log2 mean median norm quantile sin softmax sqrt std tan var")
BLANK = words("Generator default_rng empty eye load manual_seed ones ones_like zeros zeros_like")
UNPACKS = words("item tobytes tolist to_list")
INTEGER_TYPES = words("bool bool_ int int8 int16 int32 int64 long uint8 uint16 uint32 uint64")
LIBRARIES = words("functional linalg math np numpy special stats torch")
PLACES = words("cwd folder home out parent path place root tmp_path workshop")
DIGITS = re.compile(r"\d\.\d{3}|\de-\d")  # so many that another rounding shows


def called(function: ast.expr) -> str:
    """Return the last word of what is called or named: ``equal`` of ``torch.equal``."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def is_library(node: ast.expr) -> bool:
    """Whether an expression is a numeric library or a part of it: ``np``, ``torch.nn.functional``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in LIBRARIES


def subject(call: ast.Call) -> list[ast.expr]:
    """Return the object whose method is called, if it is one."""
    match call.func:
        case ast.Attribute(value=value) if not is_library(value):
            return [value]
        case _:
            return []


class Scope:
    """The names of a function or module, and with them the kinds of expressions."""

    def __init__(self, nodes: Iterable[ast.AST], outer: "Scope | None" = None) -> None:
        self.nodes, self.outer = list(nodes), outer
        self.functions: dict[str, Scope] = {}
        self.names: dict[str, list[ast.expr]] = defaultdict(list)
        self.open: set[str] = set()  # names that are being followed: one given from itself adds nothing
        for node in self.nodes:
            for name, value in _given(node):
                self.names[name].append(value)

    def largest(self, nodes: Iterable[ast.expr | None]) -> Kind:
        """Return the largest kind of several expressions; of none, WHOLE."""
        return max((self.kind(node) for node in nodes if node is not None), default=WHOLE)

    def kind(self, node: ast.expr) -> Kind:
        """Return the kind of an expression's numbers."""
        match node:
            case ast.Constant(value=float() | complex()):
                return REAL
            case ast.Constant(value=str(text)):
                return REAL if DIGITS.search(text) else WHOLE
            case ast.Constant() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return WHOLE
            case ast.UnaryOp(operand=value) | ast.Starred(value=value) | ast.NamedExpr(value=value):
                return self.kind(value)
            case ast.BinOp(left=left, op=op, right=right):
                return self._of_arithmetic(left, op, right)
            case ast.List(elts=[]) | ast.Dict(keys=[]):
                return UNKNOWN
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return self.largest(parts)
            case ast.Dict(keys=keys, values=values):
                return self.largest([*keys, *values])
            case ast.IfExp(body=first, orelse=second) | ast.DictComp(key=first, value=second):
                return self.largest([first, second])
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
                return self.kind(item)
            case ast.JoinedStr(values=parts):
                return self.largest(p.value for p in parts if isinstance(p, ast.FormattedValue) and not p.format_spec)
            case ast.Name(id=name):
                return self._of_name(name)
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                return _by_contract(name) if name in OUR_WHOLE | OUR_REAL else self.kind(value)
            case ast.Subscript(value=value):
                return self.kind(value)
            case ast.Attribute(value=value, attr=name):
                return self._of_attribute(value, name)
            case ast.Call():
                return self._of_call(node)
            case _:
                return UNKNOWN

    def _of_arithmetic(self, left: ast.expr, op: ast.operator, right: ast.expr) -> Kind:
        """A quotient of numbers is floating; one of names may be a path."""
        kind = self.largest([left, right])
        numbers = [n for n in (left, right) if isinstance(n, ast.Call) or isinstance(getattr(n, "value", None), int)]
        if isinstance(op, ast.Div) and kind < REAL:
            place = called(left) in PLACES or (isinstance(right, ast.Constant) and isinstance(right.value, str))
            return REAL if numbers and not place else UNKNOWN
        return kind

    def _of_name(self, name: str) -> Kind:
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        kind = UNKNOWN if scope is None else scope._follow(name, scope.names[name])
        return WHOLE if kind == UNKNOWN and re.sub(r"_\d$", "", name) in OUR_WHOLE else kind

    def _follow(self, name: str, values: list[ast.expr]) -> Kind:
        """Return the kind of what a name was given."""
        if name in self.open:
            return WHOLE
        self.open.add(name)
        kind = self.largest(values)
        self.open.remove(name)
        return kind

    def _of_attribute(self, value: ast.expr, name: str) -> Kind:
        if name in OUR_WHOLE | OUR_REAL:
            return _by_contract(name)
        if is_library(value):
            return REAL if name in ("pi", "e", "tau") else WHOLE  # infinities, NaN, types and functions
        if name in COUNTS:
            return WHOLE
        return self.kind(value) if name in ("T", "mT", "grad", "data", "real", "imag") else UNKNOWN

    def _of_call(self, call: ast.Call) -> Kind:
        name, its, arguments = called(call.func), subject(call), [*call.args, *(k.value for k in call.keywords)]
        if name in ("approx", "assert_allclose", "isclose", "allclose"):
            return NEAR
        if any(called(one) in INTEGER_TYPES for one in [call.func, *arguments]) or name in OUR_WHOLE | COUNTS:
            return WHOLE
        if name in COMPUTES | OUR_REAL:
            return REAL
        if name == "float":  # of a text, an infinity or a NaN
            return WHOLE if isinstance(call.args[0] if call.args else None, ast.Constant) else REAL
        if name == "round":
            return WHOLE if len(call.args) == 1 else REAL
        if name in UNPACKS:
            kind = self.largest(its)
            return REAL if kind == UNKNOWN else kind
        if name in KEEPS:
            return self.largest(its or arguments)
        if name in BLANK:
            return UNKNOWN
        if isinstance(call.func, ast.Attribute) and is_library(call.func.value):
            return WHOLE if name.startswith("get_") else REAL
        if name in (functions := (self.outer or self).functions):
            return functions[name]._follow("return", functions[name].results())
        return REAL if name[:1].isupper() and self.largest(arguments) == REAL else UNKNOWN

    def results(self) -> list[ast.expr]:
        """Return what the function returns or yields."""
        return [node.value for node in self.nodes if isinstance(node, ast.Return | ast.Yield) and node.value]


def _by_contract(name: str) -> Kind:
    return WHOLE if name in OUR_WHOLE else REAL


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a node sets, with what they are given."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield from _pairs(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _pairs(target, value)
        case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
            yield from _pairs(target, _item(items))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
            yield name, value
        case ast.FunctionDef(decorator_list=decorators):
            for decorator in decorators:
                yield from _parametrized(decorator)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of a target, each with its part of the value where that is spelled out."""
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ((ast.Tuple(elts=parts) | ast.List(elts=parts)), ast.Tuple(elts=values)) if len(parts) == len(values):
            for part, its in zip(parts, values, strict=True):
                yield from _pairs(part, its)
        case ((ast.Tuple(elts=parts) | ast.List(elts=parts)), _):
            for part in parts:
                yield from _pairs(part, value)


def _item(items: ast.expr) -> ast.expr:
    """Return what stands for one item: a tuple where items are made of several, else the iterable."""
    match items:
        case ast.Call(func=ast.Name(id="zip"), args=args):
            return ast.Tuple(args)
        case ast.Call(func=ast.Name(id="enumerate"), args=[one, *_]):
            return ast.Tuple([ast.Constant(0), one])
        case ast.Call(func=ast.Attribute(value=ast.Dict(keys=keys, values=values), attr="items")):
            return ast.Tuple([ast.Tuple([key for key in keys if key]), ast.Tuple(values)])
        case _:
            return items


def _parametrized(decorator: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of ``pytest.mark.parametrize``, each with the values of its column."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[ast.Constant(value=str(name)), values, *_]):
            yield name, values
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[ast.Tuple(elts=names), ast.List(elts=rows), *_]):
            columns = ast.Tuple([ast.Name(one.value) for one in names if isinstance(one, ast.Constant)])
            for row in rows:
                yield from _pairs(columns, row)
