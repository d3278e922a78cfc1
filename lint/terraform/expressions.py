"""Evaluates expression trees in a scope, as Terraform does, with unknowns that keep what is certain of them.

Knows no files and no modules: names come from the scope. Where Terraform would refuse an expression, evaluation raises
EvaluationProblem; where a budget is spent, the result is unknown and the budget keeps a note of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lint.origin import Reason
from lint.terraform.budget import Budget, BudgetSpent, Overrun
from lint.terraform.convert import ConversionError, convert, unify
from lint.terraform.functions.registry import Caller, FunctionError, call_function, find_function
from lint.terraform.guard import caught, leave_out, uncaught
from lint.terraform.numbers import Number, NumberRangeError
from lint.terraform.scope import EvaluationProblem, IndexedNamespace, Namespace, Scope, UndeclaredName, fixed, origin_of
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import (
    Binary,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    Parentheses,
    Span,
    Splat,
    SplatItem,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)
from lint.terraform.texts import join_texts
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    PrimitiveType,
    SetType,
    TupleType,
    Type,
    friendly_name,
    list_of,
    tuple_of,
)
from lint.terraform.unknowns import choose, conditional, equal, lift, one_of
from lint.terraform.values import (
    FALSE,
    NO_MARKS,
    NULL,
    TRUE,
    Unknown,
    Value,
    marks_deep,
    merge_reasons,
    normal,
    object_value,
    tuple_value,
    unknown,
    unknown_reasons,
    unknown_step,
    with_marks,
)


class Environment:
    """Where the evaluation stands: the scope, the variables of `for` around it, and the element of a splat."""

    __slots__ = ("budget", "item", "names", "scope")

    def __init__(self, scope: Scope, names: Mapping[str, Value], item: Value | None = None) -> None:
        self.scope = scope
        self.budget = scope.budget
        self.names = names
        self.item = item


def evaluate(expression: Expression, scope: Scope, names: Mapping[str, Value] | None = None) -> Value:
    """The value of an expression. `names` are further variables in front of the scope's (`each`, `count`, `self`).

    Raises EvaluationProblem (UndeclaredName for names that nothing declares). What a budget forbids is unknown.
    """
    budget = scope.budget
    try:
        with budget.expression(), uncaught():
            shape = shape_of(expression)
            if shape.height > budget.limits.height:
                raise BudgetSpent(f"the expression is nested deeper than {budget.limits.height}")
            if scope.check is not None:
                for path, span in shape.references:
                    if names is None or path[0] not in names:
                        scope.check(path, span)
            result = _evaluate(expression, Environment(scope, names or {}))
            budget.value(result.size, result.depth)
            return result
    except BudgetSpent as spent:
        return _over(expression.span, spent.text, budget)
    except NumberRangeError as spent:
        return _over(expression.span, str(spent), budget)
    except RecursionError:
        return _over(expression.span, "the expression needs too many steps inside one another", budget)
    except MemoryError:
        return _over(expression.span, "the expression needs more memory than there is", budget)


def _over(span: Span, text: str, budget: Budget) -> Value:
    budget.overruns.append(Overrun(text, span))
    return unknown(DYNAMIC, (Reason(f"not evaluated: {text}", "tf.budget", origin_of(span)),))


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression refers to (without the variables of its own `for`s), and how deep it is nested."""

    references: tuple[tuple[tuple[str, ...], Span], ...]
    height: int


def references(expression: Expression) -> tuple[tuple[tuple[str, ...], Span], ...]:
    """Every reference in an expression: its names as far as they stand there (`("var", "x", "id")`), and its place."""
    return shape_of(expression).references


_SHAPES: dict[int, tuple[Expression, Shape]] = {}
_MAX_SHAPES = 200_000


def shape_of(expression: Expression) -> Shape:
    """The references and the height of an expression, found once for each expression object."""
    kept = _SHAPES.get(id(expression))
    if kept is not None and kept[0] is expression:
        return kept[1]
    found: list[tuple[tuple[str, ...], Span]] = []
    height = 0
    pending: list[tuple[Expression, frozenset[str], int]] = [(expression, frozenset(), 1)]
    while pending:
        node, bound, depth = pending.pop()
        if depth > height:
            height = depth
        kind = type(node)
        if kind is Literal:
            continue
        if kind is GetAttr or kind is Name or kind is Index:
            path = _path(node)
            if path is not None:
                names, rest = path
                if names[0] not in bound:
                    found.append((names, node.span))
                for each in rest:
                    pending.append((each, bound, depth + 1))
                # A chain of steps is as deep as it is long.
                height = max(height, depth + _chain(node))
                continue
        if isinstance(node, (ForTuple, ForObject)):
            inner = bound | {node.item} | ({node.key} if node.key else set())
            pending.append((node.collection, bound, depth + 1))
            pending.append((node.value, inner, depth + 1))
            if node.condition is not None:
                pending.append((node.condition, inner, depth + 1))
            if isinstance(node, ForObject):
                pending.append((node.result_key, inner, depth + 1))
        elif isinstance(node, TemplateFor):
            inner = bound | {node.item} | ({node.key} if node.key else set())
            pending.append((node.collection, bound, depth + 1))
            pending.extend((part, inner, depth + 1) for part in node.body)
        else:
            pending.extend((child, bound, depth + 1) for child in _children(node))
    shape = Shape(tuple(reversed(found)), height)
    if len(_SHAPES) >= _MAX_SHAPES:
        _SHAPES.clear()
    _SHAPES[id(expression)] = (expression, shape)
    return shape


def _path(node: Expression) -> tuple[tuple[str, ...], list[Expression]] | None:
    """The leading names of a reference, and the expressions in its indexes; None where its root is no name."""
    steps: list[str | None] = []
    rest: list[Expression] = []
    while True:
        if isinstance(node, GetAttr):
            steps.append(node.name)
            node = node.value
        elif isinstance(node, Index):
            steps.append(None)
            if not isinstance(node.key, Literal):
                rest.append(node.key)
            node = node.value
        elif isinstance(node, Name):
            steps.append(node.name)
            break
        else:
            return None
    names = list(itertools.takewhile(lambda step: step is not None, reversed(steps)))
    return tuple(name for name in names if name is not None), rest


def _chain(node: Expression) -> int:
    length = 0
    while isinstance(node, (GetAttr, Index)):
        node = node.value
        length += 1
    return length


def _children(node: Expression) -> Sequence[Expression]:
    if isinstance(node, (GetAttr, Interpolation, Unary, Parentheses)):
        return (node.value,)
    if isinstance(node, Index):
        return (node.value, node.key)
    if isinstance(node, Template):
        return node.parts
    if isinstance(node, TemplateIf):
        return (node.condition, *node.then, *node.otherwise)
    if isinstance(node, Splat):
        return (node.value, node.each)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Conditional):
        return (node.condition, node.then, node.otherwise)
    if isinstance(node, Tuple):
        return node.items
    if isinstance(node, Object):
        return [part for item in node.items for part in (item.key, item.value)]
    return ()


def _evaluate(node: Expression, env: Environment) -> Value:
    env.budget.left -= 1
    if env.budget.left < 0:
        env.budget.spend(0)
    return _HANDLERS[type(node)](node, env)


def _literal(node: Literal, env: Environment) -> Value:
    value = node.value
    if value is None:
        return NULL
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    if isinstance(value, str):
        return Value(STRING, normal(value))
    return _number(value)


@lru_cache(maxsize=1024)
def _number(written: Decimal) -> Value:
    return Value(NUMBER, Number.parse(str(written)))


def _name(node: Name, env: Environment) -> Value:
    found = _lookup(node.name, node.span, env)
    return found if isinstance(found, Value) else found.value(node.span)


def _lookup(name: str, span: Span, env: Environment) -> Value | Namespace:
    bound = env.names.get(name)
    return bound if bound is not None else env.scope.resolve(name, span)


def _get_attr(node: GetAttr, env: Environment) -> Value:
    owner = _owner(node.value, env)
    if not isinstance(owner, Value):
        found = owner.attribute(node.name, node.span)
        return found if isinstance(found, Value) else found.value(node.span)
    return attribute(owner, node.name, node.span)


def _owner(node: Expression, env: Environment) -> Value | Namespace:
    """A value, or the namespace that a chain of names stands for so far."""
    if isinstance(node, Name):
        return _lookup(node.name, node.span, env)
    if isinstance(node, GetAttr):
        owner = _owner(node.value, env)
        if isinstance(owner, Value):
            return attribute(owner, node.name, node.span)
        return owner.attribute(node.name, node.span)
    if isinstance(node, Index):
        return _owner_element(node, env)
    return _evaluate(node, env)


def _owner_element(node: Index, env: Environment) -> Value | Namespace:
    """An element of a value, or of a namespace, of which then nothing else is evaluated."""
    owner = _owner(node.value, env)
    if not isinstance(owner, Value):
        if isinstance(owner, IndexedNamespace):
            return owner.element(_evaluate(node.key, env), node.span)
        owner = owner.value(node.value.span)
    return index(owner, _evaluate(node.key, env), node.span)


def attribute(owner: Value, name: str, span: Span) -> Value:
    """`owner.name`. Raises EvaluationProblem where there is no such attribute."""
    data = owner.data
    kind = owner.type
    if isinstance(data, dict):
        found: Value | None = data.get(name)
        if found is not None:
            return with_marks(found, owner.marks) if owner.marks else found
    if data is None:
        raise EvaluationProblem("This value is null, so it does not have any attributes", span)
    if isinstance(kind, ObjectType):
        if name not in kind.attributes:
            raise EvaluationProblem(f'This object does not have an attribute named "{name}"', span)
        return unknown_step(owner, name, kind.attributes[name])
    if isinstance(kind, MapType):
        if isinstance(data, Unknown):
            return unknown_step(owner, name, kind.element)
        raise EvaluationProblem(f'This map does not have an element with the key "{name}"', span)
    if kind is DYNAMIC:
        return unknown_step(owner, name)
    if isinstance(kind, (ListType, SetType, TupleType)):
        what = "list" if isinstance(kind, ListType) else "set" if isinstance(kind, SetType) else "tuple"
        raise EvaluationProblem(f"Can't access attributes on a {what}; name an element, or use [*] for all", span)
    raise EvaluationProblem(f"Can't access attributes on a {friendly_name(kind)}", span)


def _index(node: Index, env: Environment) -> Value:
    found = _owner_element(node, env)
    return found if isinstance(found, Value) else found.value(node.span)


def index(owner: Value, key: Value, span: Span) -> Value:
    """`owner[key]`. Raises EvaluationProblem where there is no such element."""
    data = owner.data
    kind = owner.type
    if data is None:
        raise EvaluationProblem("This value is null, so it does not have any indices", span)
    if key.data is None:
        raise EvaluationProblem("Can't use a null value as an indexing key", span)
    if isinstance(kind, SetType):
        raise EvaluationProblem("Elements of a set have no index; use a for expression, or tolist()", span)
    if isinstance(kind, PrimitiveType) and kind is not DYNAMIC:
        raise EvaluationProblem("This value does not have any indices", span)
    marks = owner.marks | key.marks
    if isinstance(data, Unknown) or isinstance(key.data, Unknown):
        return with_marks(_index_unknown(owner, key, span), marks)
    wanted = NUMBER if isinstance(kind, (ListType, TupleType)) else STRING
    try:
        plain = convert(Value(key.type, key.data), wanted).data
    except ConversionError as problem:
        raise EvaluationProblem(f"The given key does not identify an element: {problem}", span) from None
    if wanted is STRING:
        found = data.get(plain)
        if found is None:
            raise EvaluationProblem(f'The given key does not identify an element: there is no "{plain}"', span)
    else:
        if not plain.integral:
            raise EvaluationProblem("The given key does not identify an element: an index is a whole number", span)
        if plain.negative and plain.mantissa:
            raise EvaluationProblem("The given key does not identify an element: an index can't be negative", span)
        if plain.exponent > 64 or int(plain) >= len(data):
            raise EvaluationProblem("The given key does not identify an element: the index is beyond the end", span)
        found = data[int(plain)]
    return with_marks(found, marks) if marks else found


def _index_unknown(owner: Value, key: Value, span: Span) -> Value:
    """An element of a collection that isn't known, or under a key that isn't."""
    lifted = lift((owner, key), lambda pair: index(pair[0], pair[1], span), EvaluationProblem)
    if lifted is not None:
        return lifted
    kind = owner.type
    if isinstance(owner.data, Unknown):
        if owner.data.element is not None:
            # There may be no such element.
            leave_out()
            return owner.data.element
        step: str | int | None = None
        if isinstance(key.data, str):
            step = key.data
        elif isinstance(key.data, Number) and key.data.integral and key.data.exponent < 64:
            step = int(key.data)
        element: Type = DYNAMIC
        if isinstance(kind, (ListType, MapType)):
            element = kind.element
        elif isinstance(kind, ObjectType) and isinstance(step, str):
            if step not in kind.attributes:
                raise EvaluationProblem(f'The given key does not identify an element: there is no "{step}"', span)
            element = kind.attributes[step]
        elif isinstance(kind, TupleType) and isinstance(step, int):
            if not 0 <= step < len(kind.elements):
                raise EvaluationProblem("The given key does not identify an element", span)
            element = kind.elements[step]
        if step is not None:
            return unknown_step(owner, step, element)
        reasons = merge_reasons(unknown_reasons(owner), unknown_reasons(key))
        return Value(element, Unknown(reasons))
    # The elements are known, the key isn't: it is one of them, or the expression fails.
    leave_out()
    return choose(list(_elements(owner)), key)


def _elements(value: Value) -> Iterable[Value]:
    data = value.data
    return data.values() if isinstance(data, dict) else data


def _splat_item(node: SplatItem, env: Environment) -> Value:
    assert env.item is not None
    return env.item


def _splat(node: Splat, env: Environment) -> Value:
    owner = _owner(node.value, env)
    source = owner if isinstance(owner, Value) else owner.value(node.value.span)
    kind = source.type
    sequence = isinstance(kind, (ListType, SetType, TupleType))
    if source.data is None:
        if not sequence:
            return with_marks(tuple_value(()), source.marks)
        raise EvaluationProblem("Splat expressions (with the * symbol) cannot be applied to null sequences", node.span)
    if isinstance(source.data, Unknown) and not (not sequence and _is_one(source)):
        return _splat_unknown(node, source, env)
    members: Sequence[Value] = source.data if sequence else (Value(kind, source.data),)
    env.budget.elements(len(members))
    inner = Environment(env.scope, env.names)
    values: list[Value] = []
    for member in members:
        inner.item = member
        values.append(_evaluate(node.each, inner))
    if isinstance(kind, (ListType, SetType)):
        if not values:
            inner.item = unknown(kind.element, _NO_REASON)
            element = _evaluate(node.each, inner).type
            return Value(list_of(element), (), source.marks)
        types = {v.type for v in values}
        if len(types) > 1:
            if not all(v.known for v in values):
                return Value(tuple_of([v.type for v in values]), tuple(values), source.marks)
            raise EvaluationProblem("The splat expression produced elements of different types", node.span)
        return Value(list_of(types.pop()), tuple(values), source.marks)
    return Value(tuple_of([v.type for v in values]), tuple(values), source.marks)


_NO_REASON = (Reason("an element that stands for any other"),)


def _is_one(source: Value) -> bool:
    """Whether something unknown is certainly one thing, and neither a sequence nor null."""
    held: Unknown = source.data
    return held.not_null and (source.type is not DYNAMIC or held.attributes is not None)


def _splat_unknown(node: Splat, source: Value, env: Environment) -> Value:
    def each(values: Sequence[Value]) -> Value:
        bound = Environment(env.scope, env.names)
        bound.names = {**env.names, _HIDDEN: values[0]}
        return _splat(Splat(Name(_HIDDEN, node.value.span), node.each, node.full, node.span), bound)

    lifted = lift((source,), each, EvaluationProblem)
    if lifted is not None:
        return lifted
    kind = source.type
    inner = Environment(env.scope, env.names)
    if isinstance(kind, TupleType):
        values: list[Value] = []
        for i, element in enumerate(kind.elements):
            inner.item = unknown_step(source, i, element)
            values.append(_evaluate(node.each, inner))
        return tuple_value(values)
    if source.data.element is not None:
        inner.item = source.data.element
        each_element = _evaluate(node.each, inner)
        return Value(DYNAMIC, Unknown(source.data.reasons, not_null=True, element=each_element), source.marks)
    result: Type = DYNAMIC
    if isinstance(kind, (ListType, SetType)):
        inner.item = Value(kind.element, Unknown(source.data.reasons))
        result = list_of(_evaluate(node.each, inner).type)
    elif kind is not DYNAMIC:
        inner.item = Value(kind, source.data)
        try:
            _evaluate(node.each, inner)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            # If it turns out to be null there is no element, and nothing fails.
            leave_out()
            return Value(tuple_of(()), (), source.marks)
    return Value(result, Unknown(source.data.reasons, not_null=result is not DYNAMIC), source.marks)


_HIDDEN = "the source of a splat"


def _parentheses(node: Parentheses, env: Environment) -> Value:
    return _evaluate(node.value, env)


def _tuple(node: Tuple, env: Environment) -> Value:
    values = tuple([_evaluate(item, env) for item in node.items])
    return Value(tuple_of([v.type for v in values]), values)


def _object(node: Object, env: Environment) -> Value:
    result: dict[str, Value] = {}
    marks = NO_MARKS
    unclear: list[Value] = []
    for item in node.items:
        key_node = item.key
        if isinstance(key_node, (GetAttr, Index)):
            raise EvaluationProblem(
                "An attribute key with a dot is ambiguous: put it in parentheses or quotes", key_node.span
            )
        key = _evaluate(key_node, env)
        value = _evaluate(item.value, env)
        if key.data is None:
            raise EvaluationProblem("Can't use a null value as a key", key_node.span)
        marks |= key.marks
        try:
            text = convert(Value(key.type, key.data), STRING)
        except ConversionError as problem:
            raise EvaluationProblem(f"Can't use this value as a key: {problem}", key_node.span) from None
        if isinstance(text.data, Unknown):
            unclear.append(text)
        else:
            result[text.data] = value
    if unclear:
        return Value(DYNAMIC, Unknown(merge_reasons(*[unknown_reasons(v) for v in unclear]), not_null=True), marks)
    made = object_value(result)
    return Value(made.type, made.data, marks) if marks else made


def _unary(node: Unary, env: Environment) -> Value:
    wanted = BOOL if node.operator == "!" else NUMBER
    operand = _operand(node.value, wanted, env, wanted)
    data = operand.data
    if data is None:
        raise EvaluationProblem("Operation failed: the operand must not be null", node.span, wanted)
    if isinstance(data, Unknown):
        lifted = lift((operand,), lambda pair: _unary_value(node.operator, pair[0]), EvaluationProblem, nulls=False)
        return lifted or Value(wanted, Unknown(data.reasons, not_null=True), operand.marks)
    return _unary_value(node.operator, operand)


def _unary_value(operator: str, operand: Value) -> Value:
    if isinstance(operand.data, Unknown):
        return Value(operand.type, Unknown(operand.data.reasons, not_null=True), operand.marks)
    if operator == "!":
        return Value(BOOL, not operand.data, operand.marks)
    return Value(NUMBER, -operand.data, operand.marks)


def _operand(node: Expression, wanted: Type, env: Environment, result: Type) -> Value:
    value = _evaluate(node, env)
    if value.type is wanted:
        return value
    try:
        return convert(value, wanted)
    except ConversionError as problem:
        raise EvaluationProblem(f"Unsuitable value for an operand: {problem}", node.span, result) from None


def _binary(node: Binary, env: Environment) -> Value:
    operator = node.operator
    if operator in ("==", "!="):
        left = _evaluate(node.left, env)
        right = _evaluate(node.right, env)
        result = equal(left, right)
        if operator == "!=":
            result = _unary_value("!", result) if not isinstance(result.data, Unknown) else result
        return result
    operand, kind = _OPERANDS[operator]
    left = _operand(node.left, operand, env, kind)
    if env.scope.short_circuit and left.data is _DECIDES.get(operator):
        return left
    right = _operand(node.right, operand, env, kind)
    if left.data is None or right.data is None:
        raise EvaluationProblem(f'Operation "{operator}" failed: an operand is null', node.span, kind)
    marks = left.marks | right.marks if left.marks or right.marks else NO_MARKS
    if isinstance(left.data, Unknown) or isinstance(right.data, Unknown):
        return with_marks(_binary_unknown(operator, left, right, node.span), marks)
    found = _compute(operator, left.data, right.data, node.span)
    return Value(kind, found, marks)


def _binary_unknown(operator: str, left: Value, right: Value, span: Span) -> Value:
    # Sound although Terraform waits for both sides: nothing the unknown side can be changes the result.
    if operator == "&&" and (left.data is False or right.data is False):
        return FALSE
    if operator == "||" and (left.data is True or right.data is True):
        return TRUE
    kind = _OPERANDS[operator][1]

    def compute(pair: Sequence[Value]) -> Value:
        one, two = pair
        if isinstance(one.data, Unknown) or isinstance(two.data, Unknown):
            return Value(kind, Unknown(merge_reasons(unknown_reasons(one), unknown_reasons(two)), not_null=True))
        return Value(kind, _compute(operator, one.data, two.data, span))

    lifted = lift((left, right), compute, EvaluationProblem, nulls=False)
    if lifted is not None:
        return lifted
    return Value(kind, Unknown(merge_reasons(unknown_reasons(left), unknown_reasons(right)), not_null=True))


_DECIDES = {"&&": False, "||": True}

_OPERANDS: dict[str, tuple[Type, Type]] = {
    "||": (BOOL, BOOL),
    "&&": (BOOL, BOOL),
    "<": (NUMBER, BOOL),
    "<=": (NUMBER, BOOL),
    ">": (NUMBER, BOOL),
    ">=": (NUMBER, BOOL),
    "+": (NUMBER, NUMBER),
    "-": (NUMBER, NUMBER),
    "*": (NUMBER, NUMBER),
    "/": (NUMBER, NUMBER),
    "%": (NUMBER, NUMBER),
}


def _compute(operator: str, left: Any, right: Any, span: Span) -> object:
    kind = _OPERANDS[operator][1]
    try:
        return _COMPUTE[operator](left, right)
    except ValueError as problem:
        raise EvaluationProblem(f"Operation failed: {problem}", span, kind) from None


def modulo(left: Number, right: Number) -> Number:
    """The remainder with the sign of the dividend; the dividend itself where the divisor is 0 (as cty has it)."""
    if right.infinite or left.infinite:
        raise ValueError("the remainder of an infinity has no value")
    if not right.mantissa:
        return left
    quotient = left / right
    whole = Number(quotient.negative, abs(int(quotient)), 0, quotient.bits)
    return left - right * whole


_COMPUTE: dict[str, Callable[[Any, Any], object]] = {
    "||": lambda a, b: a or b,
    "&&": lambda a, b: a and b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": modulo,
}


def _conditional(node: Conditional, env: Environment) -> Value:
    return _choice(
        node.condition,
        lambda: _evaluate(node.then, env),
        lambda: _evaluate(node.otherwise, env),
        node.span,
        env,
    )


def _choice(
    condition_node: Expression,
    then: Callable[[], Value],
    otherwise: Callable[[], Value],
    span: Span,
    env: Environment,
) -> Value:
    """Terraform evaluates both sides, since the result has the common type of both; only the chosen side may fail."""
    problems: list[EvaluationProblem | None] = []
    sides: list[Value | None] = []
    kinds: list[Type] = []
    for side in (then, otherwise):
        try:
            value = side()
        except UndeclaredName:
            raise
        except EvaluationProblem as problem:
            problems.append(problem)
            sides.append(None)
            kinds.append(problem.kind or DYNAMIC)
        else:
            problems.append(None)
            sides.append(value)
            kinds.append(value.type)
    result = _result_type(sides, kinds, span)
    condition = _evaluate(condition_node, env)
    if condition.data is None:
        raise EvaluationProblem("The condition value is null. Conditions must either be true or false", span)
    if isinstance(condition.data, Unknown):
        first, second = sides
        if first is None or second is None:
            reasons = merge_reasons(unknown_reasons(condition))
            return Value(result, Unknown(reasons), condition.marks)
        return conditional(condition, first, second, result)
    try:
        truth = convert(condition, BOOL)
    except ConversionError:
        raise EvaluationProblem("The condition expression must be of type bool", condition_node.span) from None
    chosen = 0 if truth.data else 1
    problem_there = problems[chosen]
    if problem_there is not None:
        raise problem_there
    value_there = sides[chosen]
    assert value_there is not None
    marks = condition.marks
    for each in sides:
        if each is not None:
            marks = marks | each.marks
    try:
        converted = convert(value_there, result)
    except ConversionError as problem:
        raise EvaluationProblem(f"The two results of the conditional have different types: {problem}", span) from None
    return with_marks(converted, marks) if marks else converted


def _result_type(sides: Sequence[Value | None], kinds: Sequence[Type], span: Span) -> Type:
    for i, side in enumerate(sides):
        if side is not None and side.type is DYNAMIC and side.data is None and not side.marks:
            return kinds[1 - i]
    if kinds[0] is DYNAMIC or kinds[1] is DYNAMIC:
        return DYNAMIC
    found = unify(kinds)
    if found is None:
        raise EvaluationProblem("The true and false result expressions must have consistent types", span)
    return found


def _template(node: Template, env: Environment) -> Value:
    parts = node.parts
    if len(parts) == 1 and isinstance(parts[0], Interpolation):
        return _evaluate(parts[0].value, env)
    return _joined(parts, env, node.span)


def _interpolation(node: Interpolation, env: Environment) -> Value:
    return _evaluate(node.value, env)


def _joined(parts: Sequence[Expression], env: Environment, span: Span) -> Value:
    """The text of several parts of a template."""
    values: list[Value] = []
    marks = NO_MARKS
    for part in parts:
        value = _evaluate(part, env)
        if value.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", part.span, STRING)
        marks |= value.marks
        try:
            text = convert(Value(value.type, value.data), STRING)
        except ConversionError as problem:
            raise EvaluationProblem(
                f"Cannot include the given value in a string template: {problem}", part.span, STRING
            ) from None
        if text.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", part.span, STRING)
        values.append(text)
    return with_marks(join_texts(values, env.budget), marks)


def _template_if(node: TemplateIf, env: Environment) -> Value:
    return _choice(
        node.condition,
        lambda: _body(node.then, env, node.span),
        lambda: _body(node.otherwise, env, node.span),
        node.span,
        env,
    )


def _body(parts: Sequence[Expression], env: Environment, span: Span) -> Value:
    if not parts:
        return Value(STRING, "")
    if len(parts) == 1:
        return _evaluate(parts[0], env)
    return _joined(parts, env, span)


def _template_for(node: TemplateFor, env: Environment) -> Value:
    collection = _evaluate(node.collection, env)
    made = _for_tuple_over(
        collection, node.key, node.item, None, lambda inner: _body(node.body, inner, node.span), node.span, env
    )
    if isinstance(made.data, Unknown):
        return Value(STRING, Unknown(made.data.reasons, not_null=True), made.marks)
    texts: list[Value] = []
    marks = made.marks
    for each in made.data:
        if each.data is None:
            raise EvaluationProblem("Cannot include a null value in a string template", node.span, STRING)
        marks |= each.marks
        try:
            texts.append(convert(Value(each.type, each.data), STRING))
        except ConversionError as problem:
            raise EvaluationProblem(
                f"Cannot include one of the results in a string template: {problem}", node.span, STRING
            ) from None
    if not texts:
        return Value(STRING, "", marks)
    return with_marks(join_texts(texts, env.budget), marks)


def _for_tuple(node: ForTuple, env: Environment) -> Value:
    collection = _evaluate(node.collection, env)
    return _for_tuple_over(
        collection, node.key, node.item, node.condition, lambda inner: _evaluate(node.value, inner), node.span, env
    )


def _pairs(collection: Value) -> Iterable[tuple[Value, Value]]:
    """Key and element of everything in a collection, as `for` names them."""
    data = collection.data
    if isinstance(data, dict):
        return [(Value(STRING, name), value) for name, value in data.items()]
    if isinstance(collection.type, SetType):
        return [(value, value) for value in data]
    return [(Value(NUMBER, Number(False, i, 0, 64)), value) for i, value in enumerate(data)]


def _iterable(collection: Value, span: Span) -> bool:
    """Whether the collection can be iterated now; False where it isn't known. Raises EvaluationProblem."""
    if collection.data is None:
        raise EvaluationProblem("A null value cannot be used as the collection in a 'for' expression", span)
    kind = collection.type
    if kind is DYNAMIC:
        return False
    if isinstance(kind, PrimitiveType):
        raise EvaluationProblem(
            f"A value of type {friendly_name(kind)} cannot be used as the collection in a 'for' expression", span
        )
    return not isinstance(collection.data, Unknown)


def _check_condition(condition: Expression, key: str | None, item: str, span: Span, env: Environment) -> frozenset[str]:
    """Evaluates an `if` once for "any element", as Terraform does, so that it is refused even over nothing."""
    any_value = unknown(DYNAMIC, _NO_REASON)
    names = {**env.names, item: any_value}
    if key is not None:
        names[key] = any_value
    result = _evaluate(condition, Environment(env.scope, names, env.item))
    _include(result, condition.span)
    return result.marks


def _include(result: Value, span: Span) -> bool | None:
    """What an `if` says: True, False, or None where that isn't known. Raises EvaluationProblem."""
    if result.data is None:
        raise EvaluationProblem("The value of the 'if' clause must not be null", span)
    try:
        found = convert(Value(result.type, result.data), BOOL).data
    except ConversionError as problem:
        raise EvaluationProblem(f"The 'if' clause value is invalid: {problem}", span) from None
    return None if isinstance(found, Unknown) else bool(found)


def _for_open(
    collection: Value,
    key: str | None,
    item: str,
    condition: Expression | None,
    body: Callable[[Environment], Value],
    env: Environment,
    marks: frozenset[str],
) -> Value:
    """A `for` over a collection of unknown length; where every element is described, every result is."""
    held: Unknown = collection.data
    element: Value | None = None
    if held.element is not None:
        names = {**env.names, item: held.element}
        if key is not None:
            names[key] = Value(DYNAMIC, Unknown(held.reasons, not_null=True))
        inner = Environment(env.scope, names, env.item)
        include = None if condition is None else _include(_evaluate(condition, inner), condition.span)
        if include is False:
            return with_marks(tuple_value(()), marks)
        element = body(inner)
    return Value(DYNAMIC, Unknown(held.reasons, not_null=True, element=element), marks)


_MAX_OPEN = 3
"""So many elements of unknown membership are spelled out as candidates (2**n collections); more make an unknown."""


def _for_tuple_over(
    collection: Value,
    key: str | None,
    item: str,
    condition: Expression | None,
    body: Callable[[Environment], Value],
    span: Span,
    env: Environment,
) -> Value:
    known = _iterable(collection, span)
    marks = collection.marks
    if condition is not None:
        marks |= _check_condition(condition, key, item, span, env)
    if not known:

        def over(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons, not_null=True))
            return _for_tuple_over(values[0], key, item, condition, body, span, env)

        lifted = lift((collection,), over, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, marks)
        return _for_open(collection, key, item, condition, body, env, marks)
    pairs = _pairs(collection)
    env.budget.elements(len(collection.data))
    names = dict(env.names)
    inner = Environment(env.scope, names, env.item)
    values: list[Value] = []
    uncertain: list[int] = []
    reasons: list[tuple[Reason, ...]] = []
    for each_key, each in pairs:
        if key is not None:
            names[key] = each_key
        names[item] = each
        if condition is not None:
            result = _evaluate(condition, inner)
            marks |= result.marks
            include = _include(result, condition.span)
            if include is False:
                continue
            if include is None:
                uncertain.append(len(values))
                reasons.append(unknown_reasons(result))
        values.append(body(inner))
    if not uncertain:
        return Value(tuple_of([v.type for v in values]), tuple(values), marks)
    candidates = _with_and_without(values, uncertain)
    return Value(
        DYNAMIC,
        Unknown(
            merge_reasons(*reasons),
            candidates=None if candidates is None else tuple(tuple_value(c) for c in candidates),
            not_null=True,
        ),
        marks,
    )


def _with_and_without(values: Sequence[Value], uncertain: Sequence[int]) -> list[list[Value]] | None:
    if len(uncertain) > _MAX_OPEN:
        return None
    found = []
    for chosen in itertools.product((True, False), repeat=len(uncertain)):
        left_out = {i for i, kept in zip(uncertain, chosen) if not kept}
        found.append([v for i, v in enumerate(values) if i not in left_out])
    return found


def _for_object(node: ForObject, env: Environment) -> Value:
    return _for_object_over(_evaluate(node.collection, env), node, env)


def _for_object_over(collection: Value, node: ForObject, env: Environment) -> Value:
    known = _iterable(collection, node.collection.span)
    marks = collection.marks
    if node.condition is not None:
        marks |= _check_condition(node.condition, node.key, node.item, node.span, env)
    if not known:

        def over(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons, not_null=True))
            return _for_object_over(values[0], node, env)

        lifted = lift((collection,), over, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, marks)
        return _for_open(
            collection, node.key, node.item, node.condition, lambda inner: _evaluate(node.value, inner), env, marks
        )
    env.budget.elements(len(collection.data))
    names = dict(env.names)
    inner = Environment(env.scope, names, env.item)
    groups: dict[str, list[Value]] = {}
    unclear: list[tuple[Reason, ...]] = []
    uncertain: list[str] = []
    doubts: list[tuple[Reason, ...]] = []
    for each_key, each in _pairs(collection):
        if node.key is not None:
            names[node.key] = each_key
        names[node.item] = each
        include: bool | None = True
        if node.condition is not None:
            result = _evaluate(node.condition, inner)
            marks |= result.marks
            include = _include(result, node.condition.span)
            if include is False:
                continue
        raw = _evaluate(node.result_key, inner)
        if raw.data is None:
            raise EvaluationProblem("Key expression in 'for' expression must not produce a null value", node.span)
        marks |= raw.marks
        try:
            text = convert(Value(raw.type, raw.data), STRING)
        except ConversionError as problem:
            raise EvaluationProblem(f"The key expression produced an invalid result: {problem}", node.span) from None
        value = _evaluate(node.value, inner)
        if isinstance(text.data, Unknown):
            unclear.append(text.data.reasons)
            continue
        name = text.data
        if include is None:
            uncertain.append(name)
            doubts.append(unknown_reasons(result))
        if node.group:
            groups.setdefault(name, []).append(value)
        elif name in groups:
            if include is None or name in uncertain:
                unclear.append(doubts[-1])
                continue
            raise EvaluationProblem(
                f"Two different items produced the key \"{name}\" in this 'for' expression", node.span
            )
        else:
            groups[name] = [value]
    if unclear or (uncertain and node.group):
        return Value(DYNAMIC, Unknown(merge_reasons(*unclear, *doubts), not_null=True), marks)
    if node.group:
        made = object_value({name: tuple_value(values) for name, values in groups.items()})
        return with_marks(made, marks)
    single = {name: values[0] for name, values in groups.items()}
    if not uncertain:
        return with_marks(object_value(single), marks)
    if len(uncertain) > _MAX_OPEN:
        return Value(DYNAMIC, Unknown(merge_reasons(*doubts), not_null=True), marks)
    candidates = []
    for chosen in itertools.product((True, False), repeat=len(uncertain)):
        left_out = {name for name, kept in zip(uncertain, chosen) if not kept}
        candidates.append(object_value({n: v for n, v in single.items() if n not in left_out}))
    return Value(DYNAMIC, Unknown(merge_reasons(*doubts), candidates=tuple(candidates), not_null=True), marks)


def _call(node: Call, env: Environment) -> Value:
    name = node.name.removeprefix("core::")
    if name in ("try", "can") and not node.expand:
        return _try(node, env) if name == "try" else _can(node, env)
    if name in _TEMPLATES or env.scope.template == "string":
        _check_template(name, node, env)
    try:
        function = find_function(node.name)
        arguments = _arguments(node, env)
        if name in ("try", "can"):
            if not arguments or (name == "can" and len(arguments) > 1):
                raise FunctionError(f'"{name}" takes expressions')
            return arguments[0] if name == "try" else TRUE
        return call_function(function, arguments, EvaluationCaller(node.span, env))
    except FunctionError as problem:
        raise EvaluationProblem(problem.text, node.span, problem.kind) from None


_TEMPLATES = ("templatefile", "templatestring")


def _check_template(name: str, node: Call, env: Environment) -> None:
    """Templates inside templates, files inside templatestring and templates written in place are refused."""
    if env.scope.template and name in _TEMPLATES:
        raise EvaluationProblem(f"cannot recursively call {name} from inside another template function", node.span)
    if env.scope.template == "string" and name.startswith("file"):
        raise EvaluationProblem(f"cannot use {name} in a template of templatestring", node.span)
    if name == "templatestring" and node.arguments and not (node.expand and len(node.arguments) == 1):
        source = node.arguments[0]
        while isinstance(source, (GetAttr, Index, Splat)):
            source = source.value
        if not isinstance(source, Name):
            raise EvaluationProblem(
                "templatestring() takes a direct reference to a template from elsewhere, no text written in place",
                node.span,
            )


def _arguments(node: Call, env: Environment) -> list[Value]:
    values = [_evaluate(argument, env) for argument in node.arguments]
    if not node.expand:
        return values
    final = values.pop()
    if final.data is None:
        raise FunctionError("The expanding argument (indicated by ...) must not be null")
    if final.type is not DYNAMIC and not isinstance(final.type, (ListType, SetType, TupleType)):
        raise FunctionError("The expanding argument (indicated by ...) must be of a tuple, list, or set type")
    if isinstance(final.data, Unknown):
        raise _UnknownArguments(final)
    env.budget.elements(len(final.data))
    values.extend(with_marks(v, final.marks) for v in final.data)
    return values


class _UnknownArguments(Exception):
    """The list behind `...` isn't known, so neither is the number of arguments."""

    def __init__(self, value: Value) -> None:
        super().__init__("unknown arguments")
        self.value = value


def _call_guarded(node: Call, env: Environment) -> Value:
    try:
        return _call(node, env)
    except _UnknownArguments as problem:
        value = problem.value
        rest: list[Value] = []
        for argument in node.arguments[:-1]:
            rest.append(_evaluate(argument, env))
        function = find_function(node.name)
        caller = EvaluationCaller(node.span, env)

        def spread(values: Sequence[Value]) -> Value:
            if isinstance(values[0].data, Unknown):
                return Value(DYNAMIC, Unknown(values[0].data.reasons))
            if not isinstance(values[0].data, tuple):
                raise EvaluationProblem("The expanding argument must be of a tuple, list, or set type", node.span)
            try:
                return call_function(function, [*rest, *values[0].data], caller)
            except FunctionError as found:
                raise EvaluationProblem(found.text, node.span, found.kind) from None

        lifted = lift((value,), spread, EvaluationProblem)
        if lifted is not None:
            return with_marks(lifted, value.marks)
        reasons = merge_reasons(*[unknown_reasons(v) for v in (value, *rest)])
        return Value(DYNAMIC, Unknown(reasons), value.marks)


def _try(node: Call, env: Environment) -> Value:
    if not node.arguments:
        raise EvaluationProblem("at least one argument is required", node.span)
    return _first_of(node.arguments, node.span, env)


def _first_of(arguments: Sequence[Expression], span: Span, env: Environment) -> Value:
    """The first expression that doesn't fail; where it isn't known whether one fails, it or what stands behind it."""
    problem: EvaluationProblem | None = None
    for i, argument in enumerate(arguments):
        with caught() as failures:
            try:
                value = _evaluate(argument, env)
            except UndeclaredName:
                raise
            except EvaluationProblem as found:
                problem = found
                continue
        if i + 1 == len(arguments) or not (failures.left_out or _may_fail(argument, value)):
            if failures.left_out:
                leave_out()
            return value
        try:
            rest = _first_of(arguments[i + 1 :], span, env)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            leave_out()
            return value
        return one_of((value, rest), (value,), None) if not value.known else _open_choice(value, rest)
    assert problem is not None
    raise EvaluationProblem(f"no expression succeeded: {problem.text}", span)


def _open_choice(value: Value, rest: Value) -> Value:
    """A known value that stands only if a candidate which fails isn't the one."""
    reasons = (Reason("try() depends on a value that isn't known"),)
    doubt = Value(BOOL, Unknown(reasons))
    return one_of((value, rest), (doubt,), None)


def _may_fail(node: Expression, value: Value) -> bool:
    """Whether an expression that isn't known may yet turn out to fail.

    References to attributes that a resource will have are taken at their word, as is a variable or local by itself.
    """
    if value.known or _refers(value):
        return False
    while isinstance(node, Parentheses):
        node = node.value
    if isinstance(node, (Name, Literal, SplatItem)):
        return False
    return not (isinstance(node, GetAttr) and isinstance(node.value, Name) and node.value.name in _DECLARED)


_DECLARED = frozenset(("var", "local", "each", "count", "path", "terraform"))
"""Roots whose attributes are declared, so that `root.name` can't fail by itself."""


def _refers(value: Value) -> bool:
    """Whether everything that isn't known in a value has a reference."""
    if value.known:
        return True
    data = value.data
    if isinstance(data, Unknown):
        return data.reference is not None or data.attributes is not None
    return all(_refers(each) for each in _elements(value))


def _can(node: Call, env: Environment) -> Value:
    if len(node.arguments) != 1:
        raise EvaluationProblem("can() takes one expression", node.span)
    with caught() as failures:
        try:
            value = _evaluate(node.arguments[0], env)
        except UndeclaredName:
            raise
        except EvaluationProblem:
            return FALSE
    if not value.known or failures.left_out:
        # What isn't known yet may still fail when it is.
        reasons = unknown_reasons(value) or (Reason("can() depends on a value that isn't known"),)
        return Value(BOOL, Unknown(reasons, not_null=True), marks_deep(value))
    return TRUE


@lru_cache(maxsize=256)
def _parsed_template(text: str, shown: str) -> Expression:
    """A template, parsed once however often it is rendered."""
    from lint.terraform.syntax.parse import parse_template

    return parse_template(text, shown)


class EvaluationCaller(Caller):
    """What a function may ask of the expression that calls it."""

    __slots__ = ("env", "span")

    def __init__(self, span: Span, env: Environment) -> None:
        self.span = span
        self.env = env

    @property
    def budget(self) -> Budget:
        """The budget of the evaluation."""
        return self.env.budget

    @property
    def scope(self) -> Scope:
        """The scope of the expression."""
        return self.env.scope

    def reason(self, text: str, code: str | None = None, remedy: str | None = None) -> Reason:
        """A reason with the place of the call."""
        return Reason(text, code, origin_of(self.span), remedy)

    def render(self, text: str, names: Mapping[str, Value], shown: str, *, files: bool) -> Value:
        """The value of a template text with its own variables. Raises FunctionError; `shown` names the template."""
        try:
            template = _parsed_template(text, shown)
        except SyntaxProblem as problem:
            raise FunctionError(f"{shown} is not a valid template (line {problem.line})") from None
        with self.budget.template():
            inner = Scope(
                fixed(names),
                self.scope.files,
                self.scope.directory,
                self.scope.budget,
                short_circuit=self.scope.short_circuit,
                template="file" if files else "string",
            )
            for path, span in shape_of(template).references:
                if path[0] not in names:
                    raise FunctionError(f'vars map does not contain key "{path[0]}", referenced at {shown}:{span.line}')
            try:
                return _evaluate(template, Environment(inner, {}))
            except EvaluationProblem as problem:
                raise FunctionError(f"{shown}:{problem.span.line}: {problem.text}") from None


_HANDLERS: dict[type, Callable[[Any, Environment], Value]] = {
    Literal: _literal,
    Template: _template,
    Interpolation: _interpolation,
    TemplateIf: _template_if,
    TemplateFor: _template_for,
    Name: _name,
    GetAttr: _get_attr,
    Index: _index,
    SplatItem: _splat_item,
    Splat: _splat,
    Call: _call_guarded,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Parentheses: _parentheses,
    Tuple: _tuple,
    Object: _object,
    ForTuple: _for_tuple,
    ForObject: _for_object,
}

__all__ = ["Environment", "Shape", "attribute", "evaluate", "index", "references", "shape_of"]
