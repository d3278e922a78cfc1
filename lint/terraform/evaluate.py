"""Evaluates a root module: from a directory of configuration to all its resources, with what can't be known and why.

Nothing is run, no network is opened, and no file outside the boundary is read.

What is counted (`Coverage`): `files` are the configuration files of all modules that were reached, each directory once;
`files_read` those that could be parsed. `modules_called` are the instances that module calls make (one for a call whose
`count` isn't known, or whose module isn't there), `modules_evaluated` those whose configuration was evaluated.
`resources_seen` are the instances of resources and data sources; `unknown` are arguments that are set, but not wholly
known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lint.origin import Origin, Reason
from lint.terraform.budget import Budget
from lint.terraform.configuration import Module, ParseCache, literal_text, read_module, same_directory, span_origin
from lint.terraform.convert import ConversionError, convert
from lint.terraform.expressions.evaluate import evaluate
from lint.terraform.files import FileRefused, Files, relative_name, repository_root
from lint.terraform.instances import Made, ModuleInstance
from lint.terraform.modules import Installed, find_module
from lint.terraform.names import Fixed
from lint.terraform.options import Options
from lint.terraform.requirements import locked, required
from lint.terraform.resources import Comment, Coverage, Diagnostic, Evaluation, Resource, count_unknown
from lint.terraform.scope import EvaluationProblem, Scope, UndeclaredName, no_names, origin_of
from lint.terraform.syntax.problem import SyntaxProblem
from lint.terraform.syntax.tree import Block, Expression
from lint.terraform.types import BOOL, DYNAMIC
from lint.terraform.values import (
    SENSITIVE,
    Unknown,
    Value,
    as_text,
    marks_deep,
    string,
    unknown,
)
from lint.terraform.variables import (
    ANY,
    Constraint,
    ConstraintProblem,
    from_text,
    read_inputs,
    takes_plain_text,
    type_constraint,
)

MAX_MODULE_DEPTH = 40
MAX_TOTAL_INSTANCES = 60_000
"""Resource and module instances of one root module, all blocks together."""

__all__ = ["Options", "ParseCache", "Run", "evaluate_root"]


def evaluate_root(
    directory: Path,
    options: Options,
    *,
    overlay: Mapping[Path, bytes] | None = None,
    cache: ParseCache | None = None,
) -> Evaluation:
    """Evaluates the root module in a directory.

    `overlay` puts contents in the place of files, to judge an edit that isn't written. `cache` is shared between
    evaluations, so that files are parsed once. Raises FileRefused when the directory can't be read at all.
    """
    return Run(directory, options, overlay, cache).evaluation()


class Run:
    """One evaluation of a root module: what all its module instances share."""

    def __init__(
        self,
        directory: Path,
        options: Options,
        overlay: Mapping[Path, bytes] | None = None,
        cache: ParseCache | None = None,
        *,
        known: Mapping[str, Mapping[str, Value]] | None = None,
        inputs: Mapping[str, Value] | None = None,
    ) -> None:
        """`known` are attributes of resources by address that something else tells (a plan, a state), `inputs` values
        of the root module's variables that come before all others."""
        self._known = known or {}
        self._known_inputs = inputs or {}
        self.given_directory = directory
        self.top = directory.absolute()
        self.base = options.base.absolute() if options.base is not None else self.top
        self.options = options
        boundary = options.boundary if options.boundary is not None else repository_root(self.top)
        self.files = Files(boundary, overlay)
        self.cache = cache if cache is not None else ParseCache()
        self.budget = Budget()
        self.installed = Installed(self.top, self.files, options.environ)
        self.terraform = Fixed("terraform", {"workspace": string(options.workspace)})
        self._diagnostics: dict[tuple[str, str, str | None, int | None], Diagnostic] = {}
        self._modules: dict[str, Module] = {}
        self._constraints: dict[int, tuple[Block, Constraint]] = {}
        self._constants: dict[int, tuple[Expression, Value]] = {}
        self._no_names = Scope(no_names, self.files, self.top, self.budget)
        self.defaults: dict[int, Value] = {}  # converted defaults of variables, by their blocks
        self._active: list[tuple[ModuleInstance, str]] = []
        self._cycles: set[frozenset[tuple[str, str]]] = set()
        self._room = MAX_TOTAL_INSTANCES
        self._missing_calls: set[tuple[str, str]] = set()
        module = self.read(self.top)
        self.root = ModuleInstance(self, module, "", ())
        read = read_inputs(
            self.top,
            self.base,
            self.files,
            options.environ,
            options.given(),
            frozenset(module.variables) if not module.unread else None,
        )
        self._inputs = read.given
        for diagnostic in read.diagnostics:
            self.report(diagnostic)

    # What module instances ask for

    def report(self, diagnostic: Diagnostic) -> None:
        """Keeps a message, once for each text and place, however many instances meet it."""
        origin = diagnostic.origin
        place = (origin.file, origin.line) if origin is not None else (None, None)
        self._diagnostics.setdefault((diagnostic.severity, diagnostic.text, *place), diagnostic)

    def refused(self, problem: EvaluationProblem, module: ModuleInstance) -> Value:
        """Reports an expression that Terraform would refuse; its value is unknown."""
        origin = replace(origin_of(problem.span), calls=module.calls)
        undeclared = isinstance(problem, UndeclaredName)
        if undeclared and module.module.unread:
            # What is missing here may stand in a file that could not be read, which is reported already.
            reason = Reason(f"{problem.text} in the files that could be read", "tf.unread", origin)
            return unknown(DYNAMIC, (reason,))
        severity = "error" if undeclared else "warning"
        remedy = "declare it, or correct the name" if undeclared else "Terraform refuses this expression; correct it"
        self.report(Diagnostic(severity, problem.text, origin, remedy))
        return unknown(DYNAMIC, (Reason(problem.text, "tf.invalid-expression", origin),))

    def failed(self, problem: Exception, expression: Expression, module: ModuleInstance) -> Value:
        """Reports an expression on which netpact itself fails, since no input may end in a traceback; it is unknown."""
        origin = replace(origin_of(expression.span), calls=module.calls)
        text = f"netpact could not evaluate this expression ({type(problem).__name__})"
        self.report(Diagnostic("incomplete", text, origin, "please report it, with the expression"))
        return unknown(DYNAMIC, (Reason(text, "tf.internal", origin),))

    def constant(self, expression: Expression, module: ModuleInstance | None = None) -> Value:
        """The value of an expression that refers to nothing: the same in every instance, so it is evaluated once."""
        kept = self._constants.get(id(expression))
        if kept is not None and kept[0] is expression:
            return kept[1]
        try:
            value = evaluate(expression, self._no_names)
        except EvaluationProblem as problem:
            value = self.refused(problem, module if module is not None else self.root)
        except Exception as problem:
            value = self.failed(problem, expression, module if module is not None else self.root)
        if value.known:  # each `uuid()` is another value
            self._constants[id(expression)] = (expression, value)
        return value

    def constraint(self, block: Block, module: ModuleInstance) -> Constraint:
        """The type constraint of a variable block, read once."""
        found = self._constraints.get(id(block))
        if found is not None:
            return found[1]
        attribute = block.body.attribute("type")
        made = ANY
        if attribute is not None:
            try:
                made = type_constraint(attribute.value, self.constant)
            except ConstraintProblem as problem:
                place = origin_of(problem.span)
                self.report(Diagnostic("error", problem.text, place, "correct the variable's type"))
            except ConversionError as problem:
                text = f"a default in the type of var.{block.labels[0]} doesn't fit: {problem}"
                self.report(Diagnostic("error", text, span_origin(attribute.span), "correct the default"))
        self._constraints[id(block)] = (block, made)
        return made

    def given(self, name: str, module: ModuleInstance) -> Value | None:
        """The value given to a variable of the root module, or None."""
        known = self._known_inputs.get(name)
        if known is not None:
            return known
        found = self._inputs.get(name)
        if found is None:
            return None
        if found.expression is not None:
            return self.constant(found.expression, module)
        block = self.root.module.variables[name]
        try:
            return from_text(found.text or "", takes_plain_text(block), self.constant)
        except SyntaxProblem as problem:
            text = f"the value that {found.source} gives for {name} is no valid expression: {problem.text}"
            self.report(Diagnostic("error", text, None, "quote it as Terraform's language wants it"))
            return unknown(DYNAMIC, (Reason(text, "tf.invalid-value"),))

    def enter(self, module: ModuleInstance, label: str) -> bool:
        """Begins something; False where it is going on already, so that it depends on itself."""
        for active, other in self._active:
            if active is module and other == label:
                return False
        self._active.append((module, label))
        return True

    def leave(self) -> None:
        """Ends what was begun last."""
        self._active.pop()

    def cycle(self, module: ModuleInstance, label: str) -> Value:
        """Reports that something depends on itself, with the way it takes; its value is unknown."""
        start = next(i for i, (m, other) in enumerate(self._active) if m is module and other == label)
        path = [f"{m.address}.{other}" if m.address else other for m, other in self._active[start:]]
        text = "cycle: " + " → ".join([*path, path[0]])
        members = frozenset((m.address, other) for m, other in self._active[start:])
        origin = _label_origin(module, label)
        if members not in self._cycles:
            self._cycles.add(members)
            self.report(Diagnostic("error", text, origin, "let one of them not depend on the others"))
        return unknown(DYNAMIC, (Reason(text, "tf.cycle", origin),))

    def room(self, count: int) -> bool:
        """Takes room for further instances; False when the configuration asks for too many."""
        if count > self._room:
            return False
        self._room -= count
        return True

    def paths(self, module: Module) -> Fixed:
        """`path.module`, `path.root` and `path.cwd` in a module."""
        here = string(relative_name(module.directory, self.top))
        return Fixed("path", {"module": here, "root": string("."), "cwd": string(self.top.as_posix())})

    def computed(self, made: Made) -> Mapping[str, Value]:
        """Attributes that follow from a resource's arguments alone, or that a plan or state tells."""
        known = self._known.get(made.address)
        if known is not None:
            return known
        mode, kind, _ = made.key
        values = made.body.values
        if mode == "managed" and kind == "terraform_data":
            return {"output": values["input"]} if "input" in values else {}
        if mode == "data":
            if kind == "null_data_source" and "inputs" in values:
                return {"outputs": values["inputs"]}
            evaluator = self.options.data_evaluators.get(kind)
            if evaluator is not None:
                return evaluator(values)
        return {}

    def read(self, directory: Path) -> Module:
        """The configuration of a directory, read once."""
        key = same_directory(directory)
        found = self._modules.get(key)
        if found is None:
            found = self._modules[key] = read_module(directory, self.base, self.files, self.cache)
            for diagnostic in found.diagnostics:
                self.report(diagnostic)
        return found

    def module(
        self, caller: ModuleInstance, name: str, block: Block, place: Origin
    ) -> tuple[Module | None, Reason | None]:
        """The configuration that a module call names; or why there is none, which is reported."""
        address = f"{caller.address}.module.{name}" if caller.address else f"module.{name}"
        path = (*caller.path, name)
        attribute = block.body.attribute("source")
        source = literal_text(attribute)
        if attribute is not None and source is None:
            source = as_text(caller.quietly(attribute.value))  # OpenTofu lets variables and locals make the source
        if attribute is None or source is None:
            if attribute is None:
                text, remedy = f"{address} has no source", "set the module's source"
            else:
                text, remedy = f"the source of {address} isn't known", "write the source as text"
            return None, self._lost(text, remedy, "error", place, address)
        found = find_module(
            source, ".".join(path), caller.module.directory, self.installed, self.files, _shown(self.given_directory)
        )
        if found.directory is None:
            if found.missing:
                text = f"{address} ({source}) was not read: {found.text}"
                return None, self._lost(text, found.remedy, "incomplete", place, address)
            return None, self._lost(f"{address}: {found.text}", found.remedy, "error", place, address)
        directory = same_directory(found.directory)
        chain: ModuleInstance | None = caller
        while chain is not None:
            if same_directory(chain.module.directory) == directory:
                text = f"{address} calls a module that it is part of ({source})"
                return None, self._lost(text, "break the circle of module calls", "error", place, address)
            chain = chain.parent
        if len(path) > MAX_MODULE_DEPTH:
            text = f"{address}: modules are nested deeper than {MAX_MODULE_DEPTH}"
            return None, self._lost(text, "nest them less deeply", "incomplete", place, address)
        try:
            module = self.read(found.directory)
        except FileRefused as refusal:
            return None, self._lost(f"{address}: {refusal.text}", "keep modules readable", "incomplete", place, address)
        if module.empty:
            text = f"{address}: there is no configuration in {source}"
            return None, self._lost(text, "correct the module's source", "error", place, address)
        known = set(module.variables)
        if not module.unread:
            for argument in block.body.attributes:
                if argument.name not in known and argument.name not in _CALL_META:
                    text = f"{address} sets {argument.name}, but the module has no variable of that name"
                    self.report(Diagnostic("error", text, span_origin(argument.span), "remove it, or correct its name"))
        return module, None

    def _lost(self, text: str, remedy: str, severity: str, place: Origin, address: str) -> Reason:
        self.report(Diagnostic(severity, text, place, remedy))
        return Reason(text, f"tf.module-missing:{address}", place, remedy)

    def _locked(self) -> list[tuple[str, str]]:
        """The providers' versions that the lock file beside the configuration chose; none where it can't be read."""
        from lint.terraform.syntax.parse import parse_file

        path = self.top / ".terraform.lock.hcl"
        try:
            return list(locked(parse_file(self.files.read(path), path.name).blocks))
        except (FileRefused, SyntaxProblem):
            return []

    # The whole

    def evaluation(self) -> Evaluation:
        """Evaluates everything that there is, in a stable order."""
        resources: list[Resource] = []
        called = evaluated = 0
        pending = [self.root]
        while pending:
            module = pending.pop()
            for name in module.module.variables:
                module.variable(name)
            self._validate(module)
            for name in module.module.locals:
                module.local(name)
            for name in module.module.outputs:
                module.output(name)
            for key in module.module.resources:
                _, made = module.resource(key)
                resources.extend(self._resource(module, each) for each in made)
            children: list[ModuleInstance] = []
            for name in module.module.calls:
                found = module.called(name)
                called += max(1, len(found.instances.items)) if found.missing else len(found.modules)
                evaluated += len(found.modules)
                children.extend(found.modules)
            pending.extend(reversed(children))
        for name in self.root.module.providers:
            self.root.provider_values(name)
        for overrun in self.budget.overruns:
            text = f"the value of this expression counts as unknown: {overrun.text}"
            self.report(Diagnostic("warning", text, origin_of(overrun.span), "make it smaller"))
        comments: dict[str, tuple[Comment, ...]] = {}
        for each in self._modules.values():
            comments.update(each.comments)
        required_by: dict[str, list[str]] = {}
        for name, text in required(block for each in self._modules.values() for block in each.settings):
            required_by.setdefault(name, []).append(text)
        for name, text in self._locked():
            required_by.setdefault(name, []).append(text)
        files = sum(len(each.files) for each in self._modules.values())
        return Evaluation(
            root=str(self.given_directory),
            kind="terraform",
            resources=tuple(resources),
            outputs=self.root.outputs(),
            diagnostics=tuple(self._diagnostics.values()),
            coverage=Coverage(
                files=files,
                files_read=files - sum(len(each.unread) for each in self._modules.values()),
                modules_called=called,
                modules_evaluated=evaluated,
                resources_seen=len(resources),
                unknown=sum(count_unknown(r.values, r.blocks) for r in resources),
            ),
            comments=comments,
            required={name: tuple(dict.fromkeys(texts)) for name, texts in required_by.items()},
        )

    def _resource(self, module: ModuleInstance, made: Made) -> Resource:
        mode, kind, name = made.key
        provider = module.provider_of(made.block, kind)
        reasons = (*module.reasons, *made.reasons)
        body = made.body
        values = body.values
        if mode == "data" or kind == "terraform_data":
            values = {**values, **self.computed(made)}
        return Resource(
            address=made.address,
            mode=mode,
            type=kind,
            name=name,
            key=made.instance.key,
            module=module.address,
            provider=provider,
            provider_values=module.provider_values(provider),
            values=values,
            blocks=body.blocks,
            open_blocks=body.open_blocks,
            origin=span_origin(made.block.span, made.address, module.calls),
            origins=body.origins,
            exists=not reasons,
            reasons=reasons,
            comments=_comments(module.module.comments.get(made.block.span.file, ()), made.block),
        )

    def _validate(self, module: ModuleInstance) -> None:
        """Evaluates the validation blocks of a module's variables; a failing one is reported, and the value used."""
        for name, block in module.module.variables.items():
            for rule in block.body.blocks:
                condition = rule.body.attribute("condition") if rule.type == "validation" else None
                if condition is None:
                    continue
                value = module.quietly(condition.value)
                try:
                    holds = convert(value, BOOL).data
                except ConversionError:
                    holds = None
                if isinstance(holds, Unknown) or holds is True:
                    continue
                message = rule.body.attribute("error_message")
                said = module.value(message.value) if message is not None else None
                detail = ""
                if said is not None and SENSITIVE not in marks_deep(said):
                    detail = f": {as_text(said)}" if as_text(said) else ""
                where = f" in {module.address}" if module.address else ""
                text = f"the value of var.{name}{where} fails its validation{detail}"
                call = module.calls[-1] if module.calls else None
                place = span_origin(condition.span, calls=module.calls)
                # A module whose default is refused by its own rule waits for a value.
                severity = "error" if name in module.given else "warning"
                self.report(Diagnostic(severity, text, call or place, f"give a valid value (rule at {place.where()})"))


_CALL_META = frozenset({"source", "version", "count", "for_each", "providers", "depends_on"})


def _shown(directory: Path) -> str:
    text = directory.as_posix()
    return "this directory" if text == "." else text


def _label_origin(module: ModuleInstance, label: str) -> Origin:
    config = module.module
    kind, _, name = label.partition(".")
    if kind == "local" and name in config.locals:
        return span_origin(config.locals[name].span, calls=module.calls)
    tables = {"var": config.variables, "output": config.outputs, "module": config.calls}
    if kind in tables and name in tables[kind]:
        return span_origin(tables[kind][name].header, calls=module.calls)
    for (mode, resource, title), block in config.resources.items():
        prefix = "" if mode == "managed" else f"{mode}."
        if f"{prefix}{resource}.{title}" == label:
            return span_origin(block.header, calls=module.calls)
    return Origin(file=config.shown)


def _comments(comments: tuple[Comment, ...], block: Block) -> tuple[str, ...]:
    """The comment lines inside a block, and those that stand directly above it."""
    if not comments:
        return ()
    first, last = block.span.line, block.span.end_line
    above = first
    by_line = {comment.line: comment for comment in comments if comment.alone}
    while above - 1 in by_line:
        above -= 1
    return tuple(comment.text for comment in comments if above <= comment.line <= last)
