"""Reads a project file into its model, with every mistake told by file and line. Knows no packs, see `names`."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lint.documents.yaml import Allowed, Mapping, Node, NotYaml, Scalar, Sequence, YamlError, read_yaml
from lint.origin import Origin, Problem
from lint.project.model import (
    STRICTNESS,
    Condition,
    Deployment,
    Project,
    RoleBinding,
    Selector,
    Waiver,
)
from lint.project.names import suggestion
from lint.space.addresses import parse_cidr
from lint.space.intervals import IntervalSet

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# A person may name a thing once and refer to it; keys given twice are told here, with what they are in.
_ALLOWED = Allowed(largest=4 * 1024 * 1024, deepest=41, aliases=True, tags=True, unseen=True, twice=True)
_MOST_PARTS = 200_000
_MOST_PROBLEMS = 50
_KINDS = (
    "addresses",
    "tags",
    "security_groups",
    "terraform",
    "names",
    "ids",
    "prefix_list",
    "service_tag",
    "subnets",
    "vpcs",
    "networks",
    "accounts",
    "regions",
)
# The source ports that operating systems use for outgoing connections (AWS, "Network ACLs", "Ephemeral ports").
PROFILES = {
    "linux": IntervalSet.span(32768, 60999),
    "windows": IntervalSet.span(49152, 65535),
    "any": IntervalSet.span(1024, 65535),
}


class ProjectError(Exception):
    """A project file that can't be used; `problems` are all mistakes that were found, each with file and line.

    As text: one line for each, `netpact.yaml:12: what is wrong; what to do`.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(_line(problem) for problem in problems))
        self.problems = problems


def _line(problem: Problem) -> str:
    """A mistake on one line, the file as seen from the current folder."""
    origin = problem.origin or Origin()
    file = os.path.relpath(origin.file) if origin.file else "netpact.yaml"
    if file.startswith(".."):
        file = origin.file or file
    place = f"{file}:{origin.line}" if origin.line is not None else file
    return f"{place}: {problem.text}" + (f"; {problem.remedy}" if problem.remedy else "")


def load(path: Path) -> Project:
    """The project file at `path`. Raises ProjectError with every mistake in it."""
    file = str(path.absolute())
    try:
        if path.stat().st_size > _ALLOWED.largest:
            raise ProjectError((Problem("error", "the project file is too large to be one", Origin(file=file)),))
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ProjectError(
            (
                Problem(
                    "error",
                    f"the project file can't be read: {reason}",
                    Origin(file=file),
                    "give another with --config",
                ),
            )
        ) from error
    except UnicodeDecodeError as error:
        raise ProjectError(
            (Problem("error", "the project file is not UTF-8 text", Origin(file=file), "save it as UTF-8"),)
        ) from error
    return loads(text, path)


def loads(text: str, path: Path) -> Project:
    """The same from text that stands, or would stand, at `path`."""
    path = path.absolute()
    reader = _Reader()
    try:
        root = read_yaml(text, str(path), _ALLOWED)
        project = reader.project(root or Mapping((), str(path), 1, 1, 1), path)
    except YamlError as error:
        raise ProjectError(tuple(_broken(one, str(path)) for one in error.every)) from error
    except _TooMuch as error:
        problem = Problem("error", "the project file has too many parts to be one", Origin(file=str(path), line=1))
        raise ProjectError((problem,)) from error
    if reader.problems:
        raise ProjectError(tuple(reader.problems[:_MOST_PROBLEMS]))
    return project


def _broken(error: YamlError, file: str) -> Problem:
    grammar = isinstance(error, NotYaml)
    text = f"this is not valid YAML: {error.text}" if grammar else f"the project file {error.text}"
    return Problem("error", text, Origin(file=file, line=error.line, column=error.column), error.remedy)


class _TooMuch(Exception):
    """Anchors that unfold into more than any project needs."""


@dataclass(slots=True)
class _Reader:
    """Collects mistakes while it reads, so that one run tells them all."""

    problems: list[Problem] = field(default_factory=list)
    parts: int = 0

    def project(self, root: Node, path: Path) -> Project:
        """The whole file."""
        keys = self.keys(
            root,
            "the project file",
            ("version", "sources", "packs", "deployments", "waivers", "transparent", "prefix_lists", "service_tags"),
        )
        self._version(keys.get("version"), root.origin)
        deployments: list[Deployment] = []
        seen = keys.get("deployments")
        if seen is None or (isinstance(seen, Scalar) and seen.empty):
            if not self.problems:
                self.say("there are no deployments", root.origin, "add one under `deployments`, or run `netpact init`")
        else:
            for key, value in self.pairs(seen, "`deployments`"):
                self._word(key, "a deployment's name")
                deployments.append(self._deployment(key, value))
        directory = path.parent
        return Project(
            path=path,
            directory=directory,
            deployments=tuple(deployments),
            sources=tuple(s.text for s in self.texts(keys.get("sources"), "`sources`")),
            packs=tuple(self._files(keys.get("packs"), "`packs`", directory)),
            waivers=tuple(self._waivers(keys.get("waivers"))),
            transparent=tuple(s.text for s in self.texts(keys.get("transparent"), "`transparent`")),
            prefix_lists=self._prefix_lists(keys.get("prefix_lists")),
            service_tags=tuple(self._files(keys.get("service_tags"), "`service_tags`", directory)),
        )

    def _version(self, node: Node | None, origin: Origin) -> None:
        if node is None:
            self.say("`version` is missing", origin, "begin the file with `version: 1`")
        elif not isinstance(node, Scalar) or node.text != "1":
            self.say("this version of the project file isn't known", node.origin, "write `version: 1`")

    def _deployment(self, name: Scalar, node: Node) -> Deployment:
        what = f"deployment `{name.text}`"
        keys = self.keys(node, what, ("pack", "variants", "phase", "strictness", "parameters", "roles", "client_ports"))
        origins: dict[str, Origin] = {}
        pack = self.text(keys.get("pack"), f"`pack` of {what}")
        if "pack" not in keys:
            self.say(f"{what} names no pack", name.origin, "add `pack:`; `netpact packs list` lists them")
        elif pack is not None:
            origins["pack"] = pack.origin
        variants = self.texts(keys.get("variants"), f"`variants` of {what}")
        origins |= {f"variant:{one.text}": one.origin for one in variants}
        if "variants" in keys:
            origins["variants"] = keys["variants"].origin
        phase = self.text(keys.get("phase"), f"`phase` of {what}") if "phase" in keys else None
        if phase is not None:
            origins["phase"] = phase.origin
        strictness = self.text(keys.get("strictness"), f"`strictness` of {what}") if "strictness" in keys else None
        if strictness is not None and strictness.text not in STRICTNESS:
            self.say(
                f"there is no strictness `{strictness.text}`",
                strictness.origin,
                suggestion(strictness.text, STRICTNESS),
            )
            strictness = None
        parameters: dict[str, str] = {}
        for key, value in self.pairs(keys.get("parameters"), f"`parameters` of {what}"):
            given = self.text(value, f"parameter `{key.text}`")
            if given is not None:
                parameters[key.text] = given.text
                origins[f"parameter:{key.text}"] = key.origin
        ports: dict[str, IntervalSet] = {}
        for key, value in self.pairs(keys.get("client_ports"), f"`client_ports` of {what}"):
            found = self._ports(value)
            if found is not None:
                ports[key.text] = found
                origins[f"client_ports:{key.text}"] = key.origin
        roles = tuple(
            RoleBinding(key.text, tuple(self._selectors(value, f"role `{key.text}`")), key.origin)
            for key, value in self.pairs(keys.get("roles"), f"`roles` of {what}")
        )
        return Deployment(
            name=name.text,
            pack=pack.text if pack is not None else "",
            roles=roles,
            origin=name.origin,
            variants=tuple(one.text for one in variants),
            phase=phase.text if phase is not None else None,
            strictness=strictness.text if strictness is not None else "ports",
            parameters=parameters,
            client_ports=ports,
            origins=origins,
        )

    def _selectors(self, node: Node, what: str) -> Iterator[Selector]:
        if isinstance(node, Scalar) and node.empty:
            return
        if isinstance(node, Mapping):
            self.say(f"{what} takes a list of selectors", node.origin, "put `- ` before it, or brackets around it")
            return
        if isinstance(node, Scalar):
            self.say(
                f"{what} takes a list of selectors, not `{node.text}`",
                node.origin,
                "write for example `[{tags: {role: gateway}}]` or `[{addresses: [203.0.113.10/32]}]`",
            )
            return
        for item in node.items:
            if not isinstance(item, Mapping) or not item.entries:
                self.say(
                    f"a selector of {what} is not a mapping",
                    item.origin,
                    f"write one of {', '.join(_KINDS)} with its values",
                )
                continue
            keys = self.keys(item, f"a selector of {what}", _KINDS)
            made = [self._condition(kind, value) for kind, value in keys.items()]
            conditions = tuple(one for one in made if one is not None)
            if conditions:
                yield Selector(conditions, _written(conditions), item.origin)

    def _condition(self, kind: str, node: Node) -> Condition | None:
        if kind == "tags":
            tags: list[tuple[str, tuple[str, ...]]] = []
            for key, value in self.pairs(node, "`tags`"):
                tags.append((key.text, tuple(one.text for one in self.texts(value, f"tag `{key.text}`", empty=True))))
            if not tags:
                self.say("`tags` names no tag", node.origin, "write for example `tags: {role: gateway}`")
            return Condition(kind, tags=tuple(tags)) if tags else None
        texts = self.texts(node, f"`{kind}`")
        if not texts:
            if isinstance(node, Sequence | Scalar) and (isinstance(node, Scalar) or not node.items):
                self.say(f"`{kind}` is empty", node.origin, "give it at least one value, or remove it")
            return None
        patterns = tuple(one.text for one in texts)
        if kind != "addresses":
            return Condition(kind, patterns)
        parsed = [self._cidr(one) for one in texts]
        joined = IntervalSet.union_of(one for one in parsed if one is not None)
        return Condition(kind, patterns, addresses=joined) if joined else None

    def _cidr(self, node: Scalar) -> IntervalSet | None:
        try:
            return parse_cidr(node.text)
        except ValueError:
            self.say(
                f"`{node.text}` is not a CIDR or an address",
                node.origin,
                "write for example 203.0.113.10/32, 10.0.0.0/8 or 2001:db8::/32",
            )
            return None

    def _ports(self, node: Node) -> IntervalSet | None:
        remedy = f"write one of {', '.join(PROFILES)}, or a range such as 32768-60999"
        given = self.text(node, "`client_ports`")
        if given is None:
            return None
        if given.text in PROFILES:
            return PROFILES[given.text]
        low, _, high = given.text.partition("-")
        if low.isascii() and low.isdigit() and high.isascii() and high.isdigit() and len(low) < 6 and len(high) < 6:
            first, last = int(low), int(high)
            if 0 < first <= last <= 65535:
                return IntervalSet.span(first, last)
        self.say(f"`{given.text}` is not a range of source ports", given.origin, remedy)
        return None

    def _prefix_lists(self, node: Node | None) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, value in self.pairs(node, "`prefix_lists`"):
            texts = self.texts(value, f"prefix list `{key.text}`")
            found[key.text] = tuple(one.text for one in texts if self._cidr(one) is not None)
        return found

    def _waivers(self, node: Node | None) -> Iterator[Waiver]:
        if node is None or (isinstance(node, Scalar) and node.empty):
            return
        if not isinstance(node, Sequence):
            self.say("`waivers` takes a list", node.origin, "write each waiver with `- finding: DEPLOYMENT/FLOW`")
            return
        for item in node.items:
            keys = self.keys(item, "a waiver", ("finding", "where", "reason", "expires"))
            if not isinstance(item, Mapping):
                continue
            for needed, example in (("finding", "prod-dr/gateway-ssh"), ("reason", "why it is accepted")):
                if needed not in keys:
                    self.say(f"a waiver has no `{needed}`", item.origin, f"add `{needed}: {example}`")
            finding = self.text(keys["finding"], "`finding`") if "finding" in keys else None
            reason = self.text(keys["reason"], "`reason`") if "reason" in keys else None
            where = self.text(keys["where"], "`where`") if "where" in keys else None
            expires = self._date(keys["expires"]) if "expires" in keys else None
            if finding is not None and reason is not None:
                yield Waiver(finding.text, reason.text, item.origin, where.text if where else None, expires)

    def _date(self, node: Node) -> datetime.date | None:
        given = self.text(node, "`expires`")
        if given is None:
            return None
        try:
            if _DATE.fullmatch(given.text):
                return datetime.date.fromisoformat(given.text)
        except ValueError:
            pass
        self.say(
            f"`{given.text}` is not a date",
            given.origin,
            "write the last day on which the waiver holds as YYYY-MM-DD, for example 2027-01-31",
        )
        return None

    def _files(self, node: Node | None, what: str, directory: Path) -> Iterator[Path]:
        for one in self.texts(node, what):
            if not any(sign in one.text for sign in "*?["):
                path = directory / one.text
                if path.is_file():
                    yield path
                else:
                    self.say(
                        f"the file `{one.text}` isn't there",
                        one.origin,
                        f"paths in {what} are relative to the project file",
                    )
                continue
            try:
                found = sorted(p for p in directory.glob(one.text) if p.is_file())
            except (ValueError, NotImplementedError, OSError):
                self.say(
                    f"`{one.text}` is not a glob of files below the project file",
                    one.origin,
                    "write for example policies/*.yaml",
                )
                continue
            if not found:
                self.say(
                    f"no file matches `{one.text}`", one.origin, f"paths in {what} are relative to the project file"
                )
            yield from found

    def _word(self, node: Scalar, what: str) -> None:
        if not _NAME.fullmatch(node.text):
            self.say(f"`{node.text}` can't be {what}", node.origin, "use letters, digits, `.`, `_` and `-`")

    def keys(self, node: Node | None, what: str, known: tuple[str, ...]) -> dict[str, Node]:
        """A mapping with known keys alone."""
        found: dict[str, Node] = {}
        for key, value in self.pairs(node, what):
            if key.text not in known:
                self.say(f"{what} has no key `{key.text}`", key.origin, suggestion(key.text, known))
            else:
                found[key.text] = value
        return found

    def pairs(self, node: Node | None, what: str) -> list[tuple[Scalar, Node]]:
        """The pairs of a mapping, each key once."""
        if node is None or (isinstance(node, Scalar) and node.empty):
            return []
        if not isinstance(node, Mapping):
            self.say(f"{what} takes keys with values", node.origin, "write `key: value` lines below it")
            return []
        self._count(len(node.entries))
        first: dict[str, Scalar] = {}
        found: list[tuple[Scalar, Node]] = []
        for key, value in node.entries:
            if key.text in first:
                self.say(
                    f"`{key.text}` stands twice in {what}",
                    key.origin,
                    f"it is there in line {first[key.text].origin.line} already; keep one",
                )
                continue
            first[key.text] = key
            found.append((key, value))
        return found

    def texts(self, node: Node | None, what: str, empty: bool = False) -> list[Scalar]:
        """A list of texts; a single text counts as a list of one. `empty`: an empty text is a value."""
        if node is None or (isinstance(node, Scalar) and node.empty and not (empty and node.text == "")):
            return []
        items = node.items if isinstance(node, Sequence) else (node,)
        self._count(len(items))
        found: list[Scalar] = []
        for item in items:
            if isinstance(item, Scalar) and (empty or item.text):
                found.append(item)
            else:
                self.say(f"{what} takes a list of texts", item.origin, "write one text for each entry")
        return found

    def text(self, node: Node | None, what: str) -> Scalar | None:
        """One text that isn't empty."""
        if isinstance(node, Scalar) and not node.empty and node.text:
            return node
        if node is not None:
            self.say(f"{what} takes one text", node.origin, "write its value behind the colon")
        return None

    def say(self, text: str, origin: Origin, remedy: str) -> None:
        """Notes one mistake."""
        self.problems.append(Problem("error", text, origin, remedy))

    def _count(self, parts: int) -> None:
        self.parts += parts
        if self.parts > _MOST_PARTS:
            raise _TooMuch


def _written(conditions: tuple[Condition, ...]) -> str:
    """The selector on one line, as a person would write it."""

    def quote(text: str) -> str:
        return text if _NAME.fullmatch(text) else f'"{text}"'

    parts = []
    for one in conditions:
        if one.kind == "tags":
            inner = ", ".join(
                f"{quote(name)}: {quote(values[0]) if len(values) == 1 else list(values)}" for name, values in one.tags
            )
            parts.append(f"tags: {{{inner}}}")
        else:
            listed = [quote(text) if one.kind != "addresses" else text for text in one.patterns[:4]]
            more = ", …" if len(one.patterns) > 4 else ""
            parts.append(f"{one.kind}: [{', '.join(listed)}{more}]")
    return "{" + ", ".join(parts) + "}"
