"""One instance of a module while it is evaluated: its variables, locals, resources, calls and outputs, each on demand.

Everything is evaluated at most once and in whatever order it is asked for, so dependency order comes by itself; what
asks for itself is a cycle, and is reported with its path. It knows no cloud; what is shared and read is `Run`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from lint.origin import Origin, Reason
from lint.terraform.addresses import key_text, module_address, resource_address
from lint.terraform.bodies import Evaluated, evaluate_body, literal_names
from lint.terraform.configuration import Module, span_origin
from lint.terraform.convert import ConversionError
from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.expressions.shape import references
from lint.terraform.instance_names import CallNames, ResourceNames
from lint.terraform.names import Fixed, LongForm, Lookup
from lint.terraform.repetition import SINGLE, Instance, Instances, RepetitionProblem, at, counted, repeated, unclear
from lint.terraform.resources import Diagnostic
from lint.terraform.scope import EvaluationProblem, Namespace, Scope, UndeclaredName
from lint.terraform.syntax.tree import Attribute, Block, Body, Expression, Literal, Span
from lint.terraform.types import DYNAMIC
from lint.terraform.values import (
    EPHEMERAL,
    NULL,
    SENSITIVE,
    Reference,
    Unknown,
    Value,
    boolean,
    is_null,
    number,
    object_value,
    refined,
    string,
    tuple_value,
    unknown,
    with_marks,
)
from lint.terraform.variables import Constraint

if TYPE_CHECKING:
    from lint.terraform.evaluate import Run

META = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle", "connection", "provisioner"})
NOT_AN_INPUT = frozenset({"source", "version", "count", "for_each", "providers", "depends_on", "lifecycle"})
ResourceKey = tuple[str, str, str]
LONG_CHAIN = 40


@dataclass(slots=True)
class Made:
    """One evaluated resource instance, before providers are joined to it."""

    address: str
    key: ResourceKey
    block: Block
    instance: Instance
    body: Evaluated
    reasons: tuple[Reason, ...] = ()


@dataclass(slots=True)
class Called:
    """One module call: its instances, or why there are none to evaluate."""

    instances: Instances
    modules: list[ModuleInstance] = field(default_factory=list)
    missing: tuple[Reason, ...] = ()


class ModuleInstance:
    """A module as one call makes it. `address` is "" for the root module; `calls` are the places of the calls to it."""

    def __init__(
        self,
        run: Run,
        module: Module,
        address: str,
        path: tuple[str, ...],
        parent: ModuleInstance | None = None,
        call: Block | None = None,
        instance: Instance | None = None,
        calls: tuple[Origin, ...] = (),
        reasons: tuple[Reason, ...] = (),
    ) -> None:
        self.run = run
        self.module = module
        self.address = address
        self.path = path
        self.parent = parent
        self.call = call
        self.instance = instance
        self.calls = calls
        self.reasons = reasons  # why it isn't known whether this instance exists; () where it certainly does
        self.given: set[str] = set()  # variables whose value isn't their default
        self._variables: dict[str, Value] = {}
        self._locals: dict[str, Value] = {}
        self._outputs: dict[str, Value] = {}
        self._resources: dict[ResourceKey, tuple[Instances, list[Made]]] = {}
        self._wholes: dict[str, Value] = {}
        self._expansions: dict[ResourceKey, Instances] = {}
        self._calls: dict[str, Called] = {}
        self._providers: dict[str, Mapping[str, Value]] = {}
        self._roots = self._namespaces()
        self.scope = Scope(self._resolve, run.files, run.top, run.budget, self._check)
        self._short_circuit = replace(self.scope, short_circuit=True)

    # Names

    def _namespaces(self) -> dict[str, Value | Namespace]:
        module = self.module
        roots: dict[str, Value | Namespace] = {
            "var": Lookup("var", self.variable, tuple(module.variables)),
            "local": Lookup("local", self.local, tuple(module.locals)),
            "module": Lookup("module", self._module_names, tuple(module.calls)),
            "path": self.run.paths(module),
            "terraform": self.run.terraform,
        }
        types: dict[tuple[str, str], list[str]] = {}
        for mode, kind, name in module.resources:
            types.setdefault((mode, kind), []).append(name)
        data: dict[str, Value | Namespace] = {}
        ephemeral: dict[str, Value | Namespace] = {}
        for (mode, kind), names in types.items():
            lookup = Lookup(
                kind if mode == "managed" else f"{mode}.{kind}",
                self._names_of(mode, kind),
                tuple(names),
            )
            if mode == "managed":
                roots.setdefault(kind, lookup)
            else:
                (data if mode == "data" else ephemeral)[kind] = lookup
        roots["data"] = Fixed("data", data)
        roots["ephemeral"] = Fixed("ephemeral", ephemeral)
        return roots

    def _names_of(self, mode: str, kind: str) -> Callable[[str, Span], Value | Namespace]:
        return lambda name, span: ResourceNames(self, (mode, kind, name))

    def _resolve(self, name: str, span: Span) -> Value | Namespace:
        found = self._roots.get(name)
        if found is None and name == "resource":
            found = LongForm(self._roots)
        if found is None:
            raise self._undeclared((name,), span)
        return found

    def _check(self, names: tuple[str, ...], span: Span) -> None:
        root = names[0]
        module = self.module
        if root == "var":
            declared = len(names) < 2 or names[1] in module.variables
        elif root == "local":
            declared = len(names) < 2 or names[1] in module.locals
        elif root == "module":
            declared = len(names) < 2 or names[1] in module.calls
        elif root in ("data", "ephemeral"):
            declared = len(names) < 3 or (root, names[1], names[2]) in module.resources
        elif root == "resource":
            declared = len(names) < 3 or ("managed", names[1], names[2]) in module.resources
        elif root in self._roots:
            plain = root in ("path", "terraform") or len(names) < 2
            declared = plain or ("managed", root, names[1]) in module.resources
        else:
            declared = False
        if not declared:
            raise self._undeclared(names, span)

    def _undeclared(self, names: tuple[str, ...], span: Span) -> UndeclaredName:
        root = names[0]
        if root in ("each", "count"):
            needs = "for_each" if root == "each" else "count"
            return UndeclaredName(f"{root} can be used only where {needs} is set", span)
        if root == "self":
            return UndeclaredName("self can be used only in provisioners, connections and postconditions", span)
        length = 3 if root in ("data", "ephemeral", "resource") else 2
        shown = ".".join(names[:length])
        what = {"var": "variable", "local": "local", "module": "module"}.get(root, "resource")
        where = f"in {self.address}" if self.address else "in the root module"
        return UndeclaredName(f"{shown} is not declared: there is no such {what} {where}", span)

    # Evaluation

    def value(self, expression: Expression, names: Mapping[str, Value] | None = None) -> Value:
        """The value of an expression in this module. What Terraform would refuse is reported, and unknown."""
        if type(expression) is Literal and (plain := _literal(expression.value)) is not None:
            return plain
        if not references(expression):
            return self.run.constant(expression, self)
        try:
            try:
                return evaluate(expression, self.scope, names)
            except UndeclaredName:
                raise
            except EvaluationProblem:
                # Up to 1.11 Terraform evaluates both sides of && and ||; what that refuses may be written for 1.12.
                return evaluate(expression, self._short_circuit, names)
        except EvaluationProblem as problem:
            return self.run.refused(problem, self)
        except Exception as problem:
            return self.run.failed(problem, expression, self)

    def quietly(self, expression: Expression) -> Value:
        """The value of an expression; unknown, and nothing is said, where Terraform would refuse it."""
        try:
            return evaluate(expression, self._short_circuit)
        except EvaluationProblem as problem:
            return unknown(DYNAMIC, (Reason(problem.text, "tf.invalid-expression"),))
        except Exception as problem:
            return self.run.failed(problem, expression, self)

    def variable(self, name: str, span: Span | None = None) -> Value:
        """The value of an input variable."""
        found = self._variables.get(name)
        if found is not None:
            return found
        block = self.module.variables.get(name)
        if block is None:
            raise UndeclaredName(f"var.{name} is not declared", span or self.module_span())
        if not self.run.enter(self, f"var.{name}"):
            return self.run.cycle(self, f"var.{name}")
        try:
            found = self._variable(name, block)
        finally:
            self.run.leave()
        self._variables[name] = found
        return found

    def module_span(self) -> Span:
        """A place that stands for the whole module."""
        return Span(self.module.shown, 0, 0, 1, 1, 1, 1)

    def constraint(self, block: Block) -> Constraint:
        """The type constraint of a variable block."""
        return self.run.constraint(block, self)

    def _variable(self, name: str, block: Block) -> Value:
        constraint = self.constraint(block)
        body = block.body
        nullable = self._flag(body, "nullable", True)
        place = span_origin(block.header, calls=self.calls)
        value = self.run.given(name, self) if self.parent is None else self._argument(name)
        default = body.attribute("default")
        if value is not None and not (is_null(value) and not nullable):
            self.given.add(name)
            value = self._take(name, value, constraint, place)
        elif default is not None:
            value = self.run.defaults.get(id(block))
            if value is None:
                place = span_origin(default.span)
                value = self._take(name, self.run.constant(default.value, self), constraint, place)
                if value.known:
                    self.run.defaults[id(block)] = value
        else:
            remedy = f"give it with --var {name}=… or a .tfvars file" if self.parent is None else "set it in the call"
            reason = Reason(f"var.{name} has no value", f"tf.no-value:var.{name}", place, remedy)
            if self.parent is not None:
                call = span_origin(self.call.header, calls=self.calls[:-1]) if self.call is not None else place
                self.run.report(
                    Diagnostic("error", f"{self.address} needs a value for {name}", call, f"set {name} in the call")
                )
            of = constraint.type
            address = f"{self.address}.var.{name}" if self.address else f"var.{name}"
            value = unknown(DYNAMIC, (reason,), reference=Reference(address, ()), not_null=not nullable)
            if of is not DYNAMIC:
                value = self._take(name, value, constraint, place)
        marks = set()
        if self._flag(body, "sensitive", False):
            marks.add(SENSITIVE)
        if self._flag(body, "ephemeral", False):
            marks.add(EPHEMERAL)
        return with_marks(value, marks) if marks else value

    def _take(self, name: str, value: Value, constraint: Constraint, place: Origin) -> Value:
        try:
            return constraint.take(value)
        except ConversionError as problem:
            text = f"the value of var.{name} doesn't fit its type: {problem}"
            where = f" (in {self.address})" if self.address else ""
            self.run.report(Diagnostic("error", text + where, place, "give a value of the variable's type"))
            return unknown(DYNAMIC, (Reason(text, "tf.invalid-value", place),))

    def _argument(self, name: str) -> Value | None:
        if self.parent is None or self.call is None:
            return None
        attribute = self.call.body.attribute(name)
        if attribute is None:
            return None
        return self.parent.value(attribute.value, self.instance.names if self.instance is not None else None)

    def _flag(self, body: Body, name: str, default: bool) -> bool:
        attribute = body.attribute(name)
        if attribute is None or not isinstance(attribute.value, Literal):
            return default
        return attribute.value.value is True or attribute.value.value == "true"

    def local(self, name: str, span: Span | None = None) -> Value:
        """The value of a local."""
        found = self._locals.get(name)
        if found is not None:
            return found
        attribute = self.module.locals.get(name)
        if attribute is None:
            raise UndeclaredName(f"local.{name} is not declared", span or self.module_span())
        for needed in self._long_chain(name):
            self._evaluate_local(needed, self.module.locals[needed])
        return self._evaluate_local(name, attribute)

    def _long_chain(self, name: str) -> list[str]:
        """The locals behind a local, the last one first, where calling one from the other would go too deep."""
        found: dict[str, None] = {}
        pending = [name]
        while pending:
            each = pending.pop()
            if each in found or each in self._locals:
                continue
            found[each] = None
            for path, _ in references(self.module.locals[each].value):
                if path[0] == "local" and len(path) > 1 and path[1] in self.module.locals:
                    pending.append(path[1])
        return list(found)[:0:-1] if len(found) > LONG_CHAIN else []

    def _evaluate_local(self, name: str, attribute: Attribute) -> Value:
        found = self._locals.get(name)
        if found is not None:
            return found
        if not self.run.enter(self, f"local.{name}"):
            return self.run.cycle(self, f"local.{name}")
        try:
            found = self.value(attribute.value)
        finally:
            self.run.leave()
        self._locals[name] = found
        return found

    def output(self, name: str) -> Value:
        """The value of an output."""
        found = self._outputs.get(name)
        if found is not None:
            return found
        block = self.module.outputs[name]
        attribute = block.body.attribute("value")
        label = f"output.{name}"
        if not self.run.enter(self, label):
            return self.run.cycle(self, label)
        try:
            found = self.value(attribute.value) if attribute is not None else NULL
        finally:
            self.run.leave()
        if self._flag(block.body, "sensitive", False):
            found = with_marks(found, (SENSITIVE,))
        self._outputs[name] = found
        return found

    def outputs(self) -> dict[str, Value]:
        """All outputs."""
        return {name: self.output(name) for name in self.module.outputs}

    def _repetition(self, body: Body, what: str, address: str) -> Instances:
        """The instances that `count` or `for_each` in a body make."""
        count = body.attribute("count")
        each = body.attribute("for_each")
        attribute = count or each
        if attribute is None:
            return SINGLE
        place = span_origin(attribute.span, address, self.calls)
        if count is not None and each is not None:
            text = f"{address} sets both count and for_each"
            self.run.report(Diagnostic("error", text, place, "use one of them"))
        value = self.value(attribute.value)
        try:
            made = counted(value) if count is not None else repeated(value)
        except RepetitionProblem as problem:
            text = f"{address}: {problem.text}"
            severity = "incomplete" if problem.budget else "error"
            remedy = "make the number smaller" if problem.budget else f"correct {attribute.name}"
            self.run.report(Diagnostic(severity, text, place, remedy))
            reason = Reason(text, "tf.budget" if problem.budget else "tf.invalid-repetition", place)
            return unclear(attribute.name, (reason,))
        if not made.known:
            return Instances(made.how, made.items, at(made.reasons, place))
        if not self.run.room(len(made.items)):
            text = f"{address}: the configuration asks for more instances than are evaluated"
            self.run.report(Diagnostic("incomplete", text, place, "make the numbers smaller"))
            return unclear(attribute.name, (Reason(text, "tf.budget", place),))
        return made

    # Resources

    def resource(self, key: ResourceKey) -> tuple[Instances, list[Made]]:
        """All instances of a resource, evaluated."""
        found = self._resources.get(key)
        if found is not None:
            return found
        block = self.module.resources[key]
        base = resource_address(self.address, *key)
        label = resource_address("", *key)
        if not self.run.enter(self, label):
            self.run.cycle(self, label)
            return self._expansions.get(key, unclear("count", (Reason(f"{base} depends on itself", "tf.cycle"),))), []
        try:
            instances = self._repetition(block.body, label, base)
            self._expansions[key] = instances
            made = [self._make(key, block, instance, instances) for instance in instances.items]
        finally:
            self.run.leave()
        self._resources[key] = (instances, made)
        return instances, made

    def _make(self, key: ResourceKey, block: Block, instance: Instance, instances: Instances) -> Made:
        address = resource_address(self.address, *key, key_text(instance.key, instance.exists))
        body = evaluate_body(block.body, self, instance.names, META, address, block.span)
        return Made(address, key, block, instance, body, instances.reasons)

    def resource_value(self, key: ResourceKey) -> Value:
        """A resource as a whole: one object, a tuple (`count`) or an object (`for_each`) of them."""
        instances, made = self.resource(key)
        base = resource_address(self.address, *key)
        if not made and not instances.known:
            return unknown(DYNAMIC, instances.reasons, reference=Reference(base, ()))
        if not made and instances.items:
            # It is asked for while it is evaluated: a cycle that was reported.
            reason = Reason(f"{base} depends on itself", "tf.cycle")
            return unknown(DYNAMIC, (reason,), reference=Reference(base, ()))
        if instances.how == "single":
            return self.whole(made[0])
        if not instances.known:
            element = self.whole(made[0])
            reference = Reference(made[0].address, ())
            return Value(DYNAMIC, Unknown(instances.reasons, reference, not_null=True, element=element))
        if instances.how == "count":
            return tuple_value([self.whole(each) for each in made])
        return object_value({str(each.instance.key): self.whole(each) for each in made})

    def whole(self, made: Made) -> Value:
        """One resource instance as a value: what is configured is known, any other attribute a reference to it."""
        kept = self._wholes.get(made.address)
        if kept is not None:
            return kept
        mode = made.key[0]
        known: dict[str, Value] = {}
        extra = self.run.computed(made)
        for name, value in {**made.body.values, **extra}.items():
            # A data source's lists and maps are filters: what it returns may hold more.
            given = mode == "managed" or name in extra or not isinstance(value.data, (tuple, dict))
            if given and value.data is not None:
                if name == "name" and isinstance(value.data, Unknown) and value.data.reference is None:
                    # Clouds join by name: whose name it is says who is meant, though nobody knows the text yet.
                    value = refined(value, reference=Reference(made.address, (name,)))
                known[name] = value
        if "id" not in known:
            # Whatever it will be, every resource has an id.
            why = later(made.address, mode, "id", made.body.origin)
            known["id"] = unknown(DYNAMIC, (why,), reference=Reference(made.address, ("id",)), not_null=True)
        reason = later(made.address, mode, None, made.body.origin)
        whole = Value(DYNAMIC, Unknown((reason,), Reference(made.address, ()), not_null=True, attributes=known))
        self._wholes[made.address] = whole
        return whole

    def attribute_of(self, key: ResourceKey, name: str, span: Span) -> Value:
        """One attribute of a resource that has neither `count` nor `for_each`, else an attribute of the whole."""
        value = self.resource_value(key)
        if isinstance(value.data, Unknown) and value.data.attributes is not None:
            known = value.data.attributes.get(name)
            if known is not None:
                return known
            _, made = self.resource(key)
            reason = later(made[0].address, key[0], name, made[0].body.origin)
            return unknown(DYNAMIC, (reason,), reference=Reference(made[0].address, (name,)))
        from lint.terraform.expressions.traversal import attribute

        return attribute(value, name, span)

    # Module calls

    def called(self, name: str) -> Called:
        """The instances of a module call; not their contents, which are evaluated on demand."""
        found = self._calls.get(name)
        if found is not None:
            return found
        block = self.module.calls[name]
        label = f"module.{name}"
        address = module_address(self.address, name)
        if not self.run.enter(self, label):
            self.run.cycle(self, label)
            reason = Reason(f"{address} depends on itself", "tf.cycle")
            return Called(unclear("count", (reason,)), [], (reason,))
        try:
            instances = self._repetition(block.body, label, address)
        finally:
            self.run.leave()
        place = span_origin(block.header, address, self.calls)
        module, lost = self.run.module(self, name, block, place)
        called = Called(instances)
        if module is None:
            called.missing = (lost,) if lost is not None else ()
        else:
            for instance in instances.items:
                text = key_text(instance.key, instance.exists)
                called.modules.append(
                    ModuleInstance(
                        self.run,
                        module,
                        module_address(self.address, name, text),
                        (*self.path, name),
                        self,
                        block,
                        instance,
                        (*self.calls, span_origin(block.span, module_address(self.address, name, text))),
                        (*self.reasons, *instances.reasons),
                    )
                )
        self._calls[name] = called
        return called

    def _module_names(self, name: str, span: Span) -> Value | Namespace:
        return CallNames(self, name, self.called(name))

    def children(self) -> Iterator[ModuleInstance]:
        """The instances of all module calls, in the order of the calls' names."""
        for name in sorted(self.module.calls):
            yield from self.called(name).modules

    # Providers

    def provider_of(self, block: Block, kind: str) -> str:
        """The local name, with alias, of the provider that a resource uses."""
        attribute = block.body.attribute("provider")
        if attribute is not None:
            names = literal_names(attribute.value)
            if names:
                return names
        return kind.split("_", 1)[0]

    def provider_values(self, name: str) -> Mapping[str, Value]:
        """The attributes of the provider configuration that a name stands for in this module."""
        found = self._providers.get(name)
        if found is not None:
            return found
        self._providers[name] = {}  # what asks for itself finds nothing
        block = self.module.providers.get(name)
        values: Mapping[str, Value] = {}
        # A block that sets nothing in a child module only announces the configuration that is passed to it.
        if block is not None and (
            self.parent is None or {a.name for a in block.body.attributes} - {"alias", "version"}
        ):
            body = evaluate_body(block.body, self, {}, frozenset({"alias", "version", "for_each"}), f"provider.{name}")
            values = {**body.values, **{kind: _as_value(blocks) for kind, blocks in body.blocks.items()}}
        elif self.parent is not None:
            mapped = self._passed_provider(name)
            if mapped is not None:
                values = self.parent.provider_values(mapped)
            elif "." not in name:
                values = self.parent.provider_values(name)
        self._providers[name] = values
        return values

    def _passed_provider(self, name: str) -> str | None:
        attribute = self.call.body.attribute("providers") if self.call is not None else None
        items = getattr(attribute.value, "items", ()) if attribute is not None else ()
        for item in items:
            if literal_names(item.key) == name:
                return literal_names(item.value)
        return None


def _literal(written: bool | Decimal | str | None) -> Value | None:
    """The value of a simple literal, as most arguments are; None for a number that needs care."""
    if written is None:
        return NULL
    if isinstance(written, bool):
        return boolean(written)
    if isinstance(written, str):
        return string(written)
    return _whole(int(written)) if -9 <= written.adjusted() < 18 and written == int(written) else None


@lru_cache(maxsize=4096)
def _whole(size: int) -> Value:
    return number(size)


def later(address: str, mode: str, name: str | None, origin: Origin) -> Reason:
    """Why an attribute that the configuration doesn't set isn't known."""
    shown = f"{address}.{name}" if name is not None else address
    if mode == "data":
        return Reason(
            f"{shown} is read from the provider",
            f"tf.data:{address}",
            origin,
            "judge a plan (terraform show -json), which holds what was read",
        )
    return Reason(f"{shown} is known only after apply", f"tf.computed:{address}", origin)


def _as_value(blocks: tuple[object, ...]) -> Value:
    return tuple_value([object_value(dict(getattr(block, "values", {}))) for block in blocks])
