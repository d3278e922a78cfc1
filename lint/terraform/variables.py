"""Input variables: type constraints with defaults, and the values given to a root module, in Terraform's precedence.

It knows where values come from, not what reads them. Sources: "Input Variables" and "Type Constraints" in
Terraform's documentation; the defaults follow HCL's `ext/typeexpr` step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lint.origin import Origin
from lint.terraform.convert import convert
from lint.terraform.files import FileRefused, Files, relative_name
from lint.terraform.resources import Diagnostic
from lint.terraform.syntax.tree import (
    Block,
    Call,
    Expression,
    Literal,
    Name,
    Object,
    Parentheses,
    Span,
    Tuple,
)
from lint.terraform.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    MapType,
    Type,
    list_of,
    map_of,
    object_of,
    set_of,
    tuple_of,
)
from lint.terraform.values import (
    Unknown,
    Value,
    is_null,
    map_value,
    object_value,
    string,
    tuple_value,
    with_marks,
)

Constant = Callable[[Expression], Value]
"""Evaluates an expression that refers to nothing."""


class ConstraintProblem(Exception):
    """A type constraint that isn't one; `span` is where."""

    def __init__(self, text: str, span: Span) -> None:
        super().__init__(text)
        self.text = text
        self.span = span


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults of `optional()` attributes: of this object's own, and of what lies deeper.

    `children` are named by attribute, by index of a tuple, or "" for every element of a collection.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    children: Mapping[str, Defaults] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values or self.children)

    def apply(self, value: Value) -> Value:
        """The value with absent and null attributes replaced by their defaults; types may widen until converted."""
        data = value.data
        if not self or data is None or isinstance(data, Unknown):
            return value
        if isinstance(data, tuple):
            every = self.children.get("")
            elements = [
                child.apply(each) if (child := every or self.children.get(str(index))) is not None else each
                for index, each in enumerate(data)
            ]
            return with_marks(tuple_value(elements), value.marks)
        if isinstance(data, dict):
            every = self.children.get("")
            found = {
                name: child.apply(each) if (child := every or self.children.get(name)) is not None else each
                for name, each in data.items()
            }
            for name, default in self.values.items():
                if name not in found or is_null(found[name]):
                    child = self.children.get(name)
                    found[name] = child.apply(default) if child is not None else default
            if isinstance(value.type, MapType) and not found:
                return with_marks(map_value(value.type.element, {}), value.marks)
            return with_marks(object_value(found), value.marks)
        return value


NO_DEFAULTS = Defaults()


@dataclass(frozen=True, slots=True)
class Constraint:
    """A `type` argument: the type and the defaults inside it."""

    type: Type
    defaults: Defaults = NO_DEFAULTS

    def take(self, value: Value) -> Value:
        """A given value as the variable holds it. Raises ConversionError."""
        return convert(self.defaults.apply(value), self.type)


ANY = Constraint(DYNAMIC)

_WORDS: dict[str, Type] = {"string": STRING, "number": NUMBER, "bool": BOOL, "any": DYNAMIC}
_LEGACY: dict[str, Type] = {"string": STRING, "list": list_of(DYNAMIC), "map": map_of(DYNAMIC)}


def type_constraint(expression: Expression, constant: Constant) -> Constraint:
    """Reads a `type` argument. Raises ConstraintProblem; `constant` evaluates the defaults of `optional()`."""
    if isinstance(expression, Literal) and isinstance(expression.value, str) and expression.value in _LEGACY:
        return Constraint(_LEGACY[expression.value])
    if isinstance(expression, Name) and expression.name in ("list", "map", "set"):
        kinds = {"list": list_of(DYNAMIC), "map": map_of(DYNAMIC), "set": set_of(DYNAMIC)}
        return Constraint(kinds[expression.name])
    return _constraint(expression, constant)


def _constraint(expression: Expression, constant: Constant) -> Constraint:
    while isinstance(expression, Parentheses):
        expression = expression.value
    if isinstance(expression, Name) and expression.name in _WORDS:
        return Constraint(_WORDS[expression.name])
    if isinstance(expression, Literal) and isinstance(expression.value, str) and expression.value in _WORDS:
        return Constraint(_WORDS[expression.value])  # Terraform 0.11 wrote types as text
    if isinstance(expression, Call):
        if expression.name in ("list", "set", "map"):
            if len(expression.arguments) != 1:
                raise ConstraintProblem(f"{expression.name}() takes one type, that of its elements", expression.span)
            inner = _constraint(expression.arguments[0], constant)
            make = {"list": list_of, "set": set_of, "map": map_of}[expression.name]
            defaults = Defaults(children={"": inner.defaults}) if inner.defaults else NO_DEFAULTS
            return Constraint(make(inner.type), defaults)
        if expression.name == "tuple" and len(expression.arguments) == 1:
            argument = expression.arguments[0]
            if isinstance(argument, Tuple):
                parts = [_constraint(item, constant) for item in argument.items]
                children = {str(i): part.defaults for i, part in enumerate(parts) if part.defaults}
                return Constraint(tuple_of([p.type for p in parts]), Defaults(children=children))
        if expression.name == "object" and len(expression.arguments) == 1:
            argument = expression.arguments[0]
            if isinstance(argument, Object):
                return _object_constraint(argument, constant)
    kinds = "string, number, bool, any, list(…), set(…), map(…), tuple([…]) and object({…})"
    raise ConstraintProblem(f"this is not a type; types are {kinds}", expression.span)


def _object_constraint(expression: Object, constant: Constant) -> Constraint:
    types: dict[str, Type] = {}
    optional: set[str] = set()
    defaults: dict[str, Value] = {}
    children: dict[str, Defaults] = {}
    for item in expression.items:
        key = item.key
        name = key.value if isinstance(key, Literal) and isinstance(key.value, str) else None
        if name is None:
            raise ConstraintProblem("an attribute of object({…}) needs a plain name", expression.span)
        inner = item.value
        given: Expression | None = None
        if isinstance(inner, Call) and inner.name == "optional":
            if not 1 <= len(inner.arguments) <= 2:
                raise ConstraintProblem("optional() takes a type and, if wanted, a default", inner.span)
            optional.add(name)
            given = inner.arguments[1] if len(inner.arguments) == 2 else None
            inner = inner.arguments[0]
        part = _constraint(inner, constant)
        types[name] = part.type
        if part.defaults:
            children[name] = part.defaults
        if given is not None:
            default = convert(constant(given), part.type)
            if not is_null(default):
                defaults[name] = default
    return Constraint(object_of(types, optional), Defaults(defaults, children))


@dataclass(frozen=True, slots=True)
class Given:
    """A value given to a root module's variable: by whom, and its text or expression, not yet converted."""

    source: str  # "terraform.tfvars", "--var", "TF_VAR_x" …: what a message names
    origin: Origin | None
    text: str | None = None  # from the environment or the command line
    expression: Expression | None = None  # from a .tfvars or .tfvars.json file


def takes_plain_text(block: Block) -> bool:
    """Whether text from the command line is the value as it stands: no `type`, or a primitive one."""
    attribute = block.body.attribute("type")
    if attribute is None:
        return True
    value = attribute.value
    word = value.name if isinstance(value, Name) else value.value if isinstance(value, Literal) else None
    return word in ("string", "number", "bool")


def from_text(text: str, plain: bool, constant: Constant) -> Value:
    """A value given as text: as it stands, or as an expression of the language. Raises SyntaxProblem."""
    if plain:
        return string(text)
    from lint.terraform.syntax.parse import parse_expression

    return constant(parse_expression(text, "<value>"))


@dataclass(frozen=True, slots=True)
class Inputs:
    """All values given to a root module, the winning one of each name; and what is to be said about them."""

    given: Mapping[str, Given]
    diagnostics: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()


def read_inputs(
    directory: Path,
    base: Path,
    files: Files,
    environ: Mapping[str, str],
    command_line: Sequence[tuple[str, str] | Path],
    declared: frozenset[str] | None,
) -> Inputs:
    """Collects values in Terraform's precedence, the later one wins.

    Environment `TF_VAR_name`; `terraform.tfvars`; `terraform.tfvars.json`; `*.auto.tfvars` and `*.auto.tfvars.json`
    by name; then `--var` and `--var-file` in the order of the command line. `declared` are the module's variables:
    a value for another one is warned about (save from the environment, as Terraform does); None: nothing is known
    of them.
    """
    given: dict[str, Given] = {}
    diagnostics: list[Diagnostic] = []
    read: list[str] = []
    prefix = "TF_VAR_"
    for name, text in environ.items():
        if name.startswith(prefix):
            given[name[len(prefix) :]] = Given(name, None, text=text)

    def take(path: Path, shown: str, data: bytes) -> None:
        read.append(shown)
        for name, value in _file_values(data, shown, diagnostics):
            if declared is not None and name not in declared:
                text = f"{shown} sets {name}, but no variable of that name is declared"
                remedy = f'declare variable "{name}", or remove it'
                diagnostics.append(Diagnostic("warning", text, value.origin, remedy))
            else:
                given[name] = value

    for name in _automatic(files, directory):
        shown = relative_name(directory / name, base)
        try:
            take(directory / name, shown, files.read(directory / name, shown))
        except FileRefused as refusal:
            diagnostics.append(Diagnostic("error", refusal.text, Origin(file=shown), "make it readable"))
    for item in command_line:
        if isinstance(item, Path):
            # The user named this file, not the configuration: it may lie anywhere.
            try:
                data = files.overlaid(item) or item.read_bytes()
            except OSError as problem:
                text = f"the variable file {item} can't be read: {problem.strerror or 'unknown reason'}"
                diagnostics.append(Diagnostic("error", text, Origin(file=str(item)), "correct --var-file"))
                continue
            take(item, relative_name(item.absolute(), base), data)
        else:
            name, text = item
            if declared is not None and name not in declared:
                message = f"--var sets {name}, but no variable of that name is declared"
                diagnostics.append(Diagnostic("warning", message, None, f'declare variable "{name}", or remove --var'))
            else:
                given[name] = Given("--var", None, text=text)
    return Inputs(given, tuple(diagnostics), tuple(read))


def _automatic(files: Files, directory: Path) -> list[str]:
    names = set(files.names(directory))
    first = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in names]
    automatic = sorted(n for n in names if n.endswith((".auto.tfvars", ".auto.tfvars.json")) and not n.startswith("."))
    return first + automatic


def _file_values(data: bytes, shown: str, diagnostics: list[Diagnostic]) -> Iterator[tuple[str, Given]]:
    from lint.terraform.configuration import span_origin, syntax_diagnostic
    from lint.terraform.syntax.parse import parse_file
    from lint.terraform.syntax.problem import SyntaxProblem

    try:
        if shown.endswith(".json"):
            from lint.terraform.syntax.json import parse_json_values

            body = parse_json_values(data, shown)
        else:
            body = parse_file(data, shown)
    except (SyntaxProblem, RecursionError) as problem:
        diagnostics.append(syntax_diagnostic(problem, shown))
        return
    for block in body.blocks:
        text = f"a {block.type} block stands in a file of variable values"
        diagnostics.append(Diagnostic("error", text, span_origin(block.header), "move it to a .tf file"))
    for attribute in body.attributes:
        yield attribute.name, Given(shown, span_origin(attribute.span), expression=attribute.value)
