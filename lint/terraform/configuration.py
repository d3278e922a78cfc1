"""One module's configuration as it stands in its files: what is declared, with override files merged in.

It reads a directory and evaluates nothing. A file that can't be parsed is reported and the others are still used.
Sources: "Files and Configuration Structure", "Override Files" and "JSON Configuration Syntax" in Terraform's
documentation; OpenTofu's "Files and Directories" for `.tofu`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from lint.origin import Origin
from lint.terraform.files import FileRefused, Files, relative_name
from lint.terraform.resources import Comment, Diagnostic
from lint.terraform.syntax.tree import Attribute, Block, Body, Span
from lint.terraform.syntax.tree import Comment as WrittenComment

SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")


@dataclass(slots=True)
class Module:
    """The declarations of one directory. Treated as immutable once read; shared by all calls of the module."""

    directory: Path
    shown: str  # the directory relative to the source's directory, "." for itself
    files: tuple[str, ...] = ()  # names relative to the source's directory
    unread: tuple[str, ...] = ()  # those of them that could not be parsed
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    resources: dict[tuple[str, str, str], Block] = field(default_factory=dict)  # (mode, type, name)
    calls: dict[str, Block] = field(default_factory=dict)
    providers: dict[str, Block] = field(default_factory=dict)  # "aws" or "aws.west"
    settings: list[Block] = field(default_factory=list)  # `terraform` blocks
    diagnostics: tuple[Diagnostic, ...] = ()
    comments: Mapping[str, tuple[Comment, ...]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether the directory holds no configuration file at all."""
        return not self.files


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of one file: its body, or why it could not be parsed; and its comments."""

    body: Body | None
    problem: Diagnostic | None
    comments: tuple[Comment, ...] = ()


class ParseCache:
    """Parsed files by name and content: evaluating again (another root, a suggested fix) parses only what changed."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, bytes], Parsed] = {}

    def __len__(self) -> int:
        return len(self._parsed)

    def parse(self, data: bytes, file: str) -> Parsed:
        """The parsed file. `file` is how spans and messages name it."""
        key = (file, blake2b(data, digest_size=16).digest())
        found = self._parsed.get(key)
        if found is None:
            found = self._parsed[key] = _parse(data, file)
        return found


def _parse(data: bytes, file: str) -> Parsed:
    from lint.terraform.syntax.parse import parse_with_comments
    from lint.terraform.syntax.problem import SyntaxProblem

    comments: tuple[Comment, ...] = ()
    try:
        if file.endswith(".json"):
            from lint.terraform.syntax.json import parse_json_file

            body = parse_json_file(data, file)
        else:
            body, found = parse_with_comments(data, file)
            comments = _comment_lines(data, found)
    except SyntaxProblem as problem:
        return Parsed(None, syntax_diagnostic(problem, file))
    except RecursionError:
        text = f"{file} is nested too deeply and was not read"
        return Parsed(None, Diagnostic("error", text, Origin(file=file), "write it with less nesting"))
    return Parsed(body, None, comments)


def _comment_lines(data: bytes, found: Iterable[WrittenComment]) -> tuple[Comment, ...]:
    """Comments line by line, those of several lines without the `*` in front of them."""
    lines: list[Comment] = []
    for comment in found:
        begin = data.rfind(b"\n", 0, comment.start) + 1
        alone = not data[begin : comment.start].strip()
        for offset, text in enumerate(comment.text.splitlines() or [""]):
            lines.append(Comment(comment.line + offset, text.strip().lstrip("*").strip(), alone))
    return tuple(lines)


def syntax_diagnostic(problem: Exception, file: str) -> Diagnostic:
    """A syntax problem as a message that ends the run with status 2."""
    line = getattr(problem, "line", None)
    column = getattr(problem, "column", None)
    text = getattr(problem, "text", None) or str(problem)
    origin = Origin(file=file, line=line, end_line=line, column=column)
    remedy = getattr(problem, "hint", None) or "correct the file; the others are judged"
    return Diagnostic("error", text, origin, remedy)


def is_configuration(name: str) -> bool:
    """Whether a file of that name is configuration: `.tf`, `.tofu` and their JSON forms, but no editor's backup."""
    return name.endswith(SUFFIXES) and not name.startswith((".", "#")) and not name.endswith("~")


def configuration_files(names: Iterable[str]) -> list[str]:
    """The configuration files among `names`, in the order Terraform reads them; `a.tofu` hides `a.tf`."""
    chosen = {name for name in names if is_configuration(name)}
    hidden = {name for name in chosen if name.endswith(".tf") and f"{name[:-3]}.tofu" in chosen}
    hidden |= {name for name in chosen if name.endswith(".tf.json") and f"{name[:-8]}.tofu.json" in chosen}
    return sorted(chosen - hidden)


def is_override(name: str) -> bool:
    """Whether the file overrides others: `override.tf`, `x_override.tf`, and the like in every syntax."""
    stem = name[: -len(next(s for s in (".tofu.json", ".tf.json", ".tofu", ".tf") if name.endswith(s)))]
    return stem == "override" or stem.endswith("_override")


def span_origin(span: Span, address: str | None = None, calls: tuple[Origin, ...] = ()) -> Origin:
    """The origin of a piece of syntax."""
    return Origin(
        file=span.file,
        line=span.line,
        end_line=span.end_line,
        column=span.column,
        start_byte=span.start,
        end_byte=span.end,
        address=address,
        calls=calls,
    )


def read_module(directory: Path, base: Path, files: Files, cache: ParseCache) -> Module:
    """The configuration of a directory; file names in it are relative to `base`.

    Raises FileRefused when the directory itself may not be read.
    """
    shown = relative_name(directory, base)
    module = Module(directory, shown)
    reader = _Reader(module)
    names = configuration_files(files.names(directory, shown))
    read: list[tuple[str, Body]] = []
    unread: list[str] = []
    shown_names: list[str] = []
    comments: dict[str, tuple[Comment, ...]] = {}
    for name in names:
        file = name if shown == "." else f"{shown}/{name}"
        shown_names.append(file)
        try:
            parsed = cache.parse(files.read(directory / name, file), file)
        except FileRefused as refusal:
            reader.report("error", refusal.text, Origin(file=file), "remove it or make it readable")
            unread.append(file)
            continue
        if parsed.comments:
            comments[file] = parsed.comments
        if parsed.body is None:
            if parsed.problem is not None:
                reader.diagnostics.append(parsed.problem)
            unread.append(file)
        else:
            read.append((name, parsed.body))
    for name, body in read:
        if not is_override(name):
            reader.declare(body)
    for name, body in read:
        if is_override(name):
            reader.override(body)
    reader.fill()
    module.files = tuple(shown_names)
    module.unread = tuple(unread)
    module.diagnostics = tuple(reader.diagnostics)
    module.comments = comments
    return module


_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "variable": 1, "output": 1, "module": 1, "provider": 1}
_TOLERATED = {"terraform", "locals", "moved", "removed", "import", "check", "action", "list", "language"}


class _Reader:
    """Puts the blocks of files into a Module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.diagnostics: list[Diagnostic] = []
        self.declared: dict[tuple[str, ...], Block] = {}

    def report(self, severity: str, text: str, origin: Origin, remedy: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(severity, text, origin, remedy))

    def declare(self, body: Body) -> None:
        for attribute in body.attributes:
            self.report(
                "error",
                f"{attribute.name} stands outside of any block",
                span_origin(attribute.span),
                "an argument is not expected here; variable values belong into a .tfvars file",
            )
        for block in body.blocks:
            if not self._labelled(block):
                continue
            if block.type == "locals":
                self._locals(block, False)
                continue
            key = self._key(block)
            if key is None:
                if block.type == "check":
                    self._check(block)
                elif block.type == "terraform":
                    self.module.settings.append(block)
                continue
            if key in self.declared:
                first = self.declared[key].header
                what = " ".join((block.type, *block.labels))
                self.report(
                    "error",
                    f"{what} is declared twice; the first is at {first.file}:{first.line}",
                    span_origin(block.header),
                    "rename or remove one of them",
                )
                continue
            self.declared[key] = block

    def override(self, body: Body) -> None:
        for block in body.blocks:
            if not self._labelled(block):
                continue
            if block.type == "locals":
                self._locals(block, True)
                continue
            key = self._key(block)
            if key is None:
                continue
            if key not in self.declared:
                if block.type == "provider":
                    self.declared[key] = block
                    continue
                what = " ".join((block.type, *block.labels))
                self.report(
                    "error",
                    f"{what} overrides nothing: no other file declares it",
                    span_origin(block.header),
                    "move it to a file that isn't an override file",
                )
                continue
            self.declared[key] = merge_blocks(self.declared[key], block)

    def _labelled(self, block: Block) -> bool:
        wanted = _LABELS.get(block.type)
        if wanted is None:
            if block.type not in _TOLERATED:
                self.report(
                    "error",
                    f"blocks of type {block.type} are not expected here",
                    span_origin(block.header),
                    "check the spelling",
                )
                return False
            return True
        if len(block.labels) != wanted:
            count = "one label" if wanted == 1 else "two labels, type and name"
            self.report(
                "error", f"{block.type} needs {count}", span_origin(block.header), "correct the block's first line"
            )
            return False
        return True

    def _key(self, block: Block) -> tuple[str, ...] | None:
        """What a block declares, by type and names; None for blocks that declare nothing to be evaluated."""
        if block.type == "provider":
            alias = literal_text(block.body.attribute("alias"))
            return ("provider", block.labels[0] + (f".{alias}" if alias else ""))
        return (block.type, *block.labels) if block.type in _LABELS else None

    def fill(self) -> None:
        """Puts what was declared into the module's tables."""
        module = self.module
        tables = {
            "variable": module.variables,
            "output": module.outputs,
            "module": module.calls,
            "provider": module.providers,
        }
        for key, block in self.declared.items():
            if key[0] in tables:
                tables[key[0]][key[1]] = block
            else:
                mode = "managed" if key[0] == "resource" else key[0]
                module.resources[mode, key[1], key[2]] = block

    def _locals(self, block: Block, override: bool) -> None:
        for attribute in block.body.attributes:
            first = self.module.locals.get(attribute.name)
            if first is not None and not override:
                self.report(
                    "error",
                    f"local.{attribute.name} is declared twice; the first is at {first.span.file}:{first.span.line}",
                    span_origin(attribute.span),
                    "rename or remove one of them",
                )
                continue
            self.module.locals[attribute.name] = attribute

    def _check(self, block: Block) -> None:
        # A check may hold one data source of its own, addressed like any other.
        for inner in block.body.blocks:
            if inner.type == "data" and len(inner.labels) == 2:
                self.declared.setdefault(("data", *inner.labels), inner)


def literal_text(attribute: Attribute | None) -> str | None:
    """The text of an attribute that is a plain string literal, else None."""
    value = getattr(attribute.value, "value", None) if attribute is not None else None
    return value if isinstance(value, str) else None


def block_kind(block: Block) -> str:
    """The type of nested block that a block makes: its own, or the label of `dynamic`."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def merge_blocks(first: Block, second: Block) -> Block:
    """A block with another one merged over it: arguments are replaced, nested blocks replaced by type.

    `lifecycle` is merged argument by argument. `count` and `for_each` replace each other.
    """
    theirs = {attribute.name for attribute in second.body.attributes}
    kinds = {block_kind(block) for block in second.body.blocks}
    dropped = theirs | (kinds - {"lifecycle"})
    if theirs & {"count", "for_each"}:
        dropped |= {"count", "for_each"}
    attributes = [a for a in first.body.attributes if a.name not in dropped]
    blocks = [b for b in first.body.blocks if block_kind(b) not in dropped]
    lifecycles = [b for b in blocks if b.type == "lifecycle"]
    added = list(second.body.blocks)
    if "lifecycle" in kinds and lifecycles:
        blocks = [b for b in blocks if b.type != "lifecycle"]
        added = [merge_blocks(lifecycles[0], b) if b.type == "lifecycle" else b for b in added]
    body = Body((*attributes, *second.body.attributes), (*blocks, *added), first.body.span)
    return Block(first.type, first.labels, body, first.header, first.span)


def same_directory(path: Path) -> str:
    """A directory's identity: its resolved path."""
    return os.path.realpath(path)
