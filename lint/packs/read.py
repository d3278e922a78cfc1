"""From a pack file to a Pack: reads every field, checks it, and says what is wrong with its line. Knows no network
and no verdict.

The same rules stand in `rules/pack.schema.json` for editors; what a schema can't say (a role that doesn't exist, a flow
id given twice, an address that is none) is checked here alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingType
from pathlib import Path

from lint.documents.yaml import Mapping, Node, Scalar, Sequence, plain_value
from lint.origin import Origin
from lint.packs.document import read_document
from lint.packs.model import ANYONE, INTERNET, Citation, Flow, Pack, Role, single_services
from lint.packs.problem import PackProblem
from lint.space.addresses import parse_cidr
from lint.space.services import parse

KINDS = ("required", "forbidden", "exclusive")
SEVERITIES = ("error", "warning", "note")
LIVES = ("customer", "cloud", "vendor", "any")
AGAINST = ("anyone", "public")

# No document is this long; a file that is was made to keep a machine busy.
MOST_ROLES = 500
MOST_FLOWS = 2000
MOST_SERVICES = 256  # in one list, one by one
MOST_PROBLEMS = 200
_MOST_NAMES = 30  # listed in a message
_LONGEST = 300  # characters of a message

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")

_PACK_FIELDS = (
    "schema",
    "id",
    "title",
    "document",
    "variants",
    "phases",
    "default_phase",
    "parameters",
    "roles",
    "signature",
    "flows",
)
_ROLE_FIELDS = ("title", "lives", "managed", "shared", "addresses", "hosts", "hints")
_FLOW_FIELDS = (
    "id",
    "kind",
    "from",
    "to",
    "services",
    "except",
    "against",
    "host_local",
    "managed",
    "variants",
    "phases",
    "optional",
    "condition",
    "assumed",
    "severity",
    "purpose",
    "cites",
)
# Fields that mean something for a required flow alone.
_REQUIRED_ALONE = ("host_local", "managed", "optional")


def load_file(path: str | Path, name: str | None = None) -> Pack:
    """The pack in a file; `name` is what messages and origins call the file (the path by default).

    Raises PackProblem, whose `every` holds all mistakes found.
    """
    called = name if name is not None else Path(path).as_posix()
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise PackProblem(
            called, None, f"can't be read: {error.strerror}", "check the path and its permissions"
        ) from None
    return read_pack(content, called)


def read_pack(content: str | bytes, file: str) -> Pack:
    """The pack in a text. Raises PackProblem, whose `every` holds all mistakes found."""
    reader = _Reader(file)
    pack = reader.pack(read_document(content, file))
    if reader.problems:
        reader.problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        reader.problems[0].every = tuple(reader.problems)
        raise reader.problems[0]
    return pack


class _Reader:
    """Collects problems while it reads, so that a person sees all of them at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[PackProblem] = []

    # pack, roles, flows

    def pack(self, node: Node) -> Pack:
        fields = self._fields(node, _PACK_FIELDS, "a pack", ("schema", "id", "title", "document", "roles", "flows"))
        self._schema(fields.get("schema"))
        document = self._fields(fields.get("document"), ("title", "edition", "url"), "`document`", ("title",))
        variants = self._named_texts(fields.get("variants"), "variants")
        phases = self._named_texts(fields.get("phases"), "phases")
        roles = self._roles(fields.get("roles"))
        return Pack(
            id=self._pattern(fields.get("id"), _ID, "id", "write it as `vendor/name`, in lower case with hyphens"),
            title=self._text(fields.get("title"), "title"),
            document_title=self._text(document.get("title"), "title"),
            document_edition=self._optional_text(document.get("edition"), "edition"),
            document_url=self._optional_text(document.get("url"), "url"),
            variants=variants,
            phases=phases,
            default_phase=self._default_phase(fields.get("default_phase"), phases, node),
            roles=roles,
            flows=self._flows(fields.get("flows"), roles, variants, phases),
            signature_services=self._services(fields.get("signature"), "signature"),
            parameters=self._named_texts(fields.get("parameters"), "parameters"),
            origin=self._origin(node),
        )

    def _roles(self, node: Node | None) -> tuple[Role, ...]:
        found: list[Role] = []
        entries = tuple(self._entries(node, "roles"))
        if node is not None and len(entries) > MOST_ROLES:
            self._report(node, f"has {len(entries)} roles", f"keep to {MOST_ROLES}")
            return ()
        for key, value in entries:
            if key.text in (INTERNET, ANYONE):
                self._report(key, f"`{key.text}` is a party that every pack has", "give the role another name")
            elif not _NAME.fullmatch(key.text):
                self._report(key, f"`{key.text}` is no role name", "use lower case letters, digits and hyphens")
            else:
                found.append(self._role(key.text, value))
        return tuple(found)

    def _role(self, name: str, node: Node) -> Role:
        fields = self._fields(node, _ROLE_FIELDS, f"role `{name}`", ("title", "lives"))
        hints = self._fields(fields.get("hints"), ("names", "common", "tags", "services"), "`hints`", ())
        addresses = self._texts(fields.get("addresses"), "addresses")
        for address in addresses:
            self._parsed(parse_cidr, address, f"`{address.text}` is no CIDR", "write it as 10.0.0.0/8 or 192.0.2.1/32")
        return Role(
            name=name,
            title=self._text(fields.get("title"), "title"),
            lives=self._choice(fields.get("lives"), LIVES, "lives", "any"),
            managed=self._flag(fields.get("managed"), "managed"),
            shared=self._flag(fields.get("shared"), "shared"),
            default_addresses=self._once(addresses, "addresses"),
            hint_names=self._once(self._texts(hints.get("names"), "names"), "names"),
            hint_common=self._once(self._texts(hints.get("common"), "common"), "common"),
            hint_tags=self._named_texts(hints.get("tags"), "tags"),
            hint_services=self._services(hints.get("services"), "services"),
            hosts=self._once(self._texts(fields.get("hosts"), "hosts"), "hosts"),
        )

    def _flows(
        self,
        node: Node | None,
        roles: tuple[Role, ...],
        variants: tuple[tuple[str, str], ...],
        phases: tuple[tuple[str, str], ...],
    ) -> tuple[Flow, ...]:
        if node is None:
            return ()
        if not isinstance(node, Sequence) or not node.items:
            self._report(node, "`flows` is no list of flows", "write one `- id: …` for each flow")
            return ()
        if len(node.items) > MOST_FLOWS:
            self._report(node, f"has {len(node.items)} flows", f"keep to {MOST_FLOWS}, or make several packs of it")
            return ()
        known = {role.name: role for role in roles}
        lines: dict[str, int] = {}
        found: list[Flow] = []
        for item in node.items:
            flow = self._flow(item, known, [name for name, _ in variants], [name for name, _ in phases])
            if flow.id and flow.id in lines:
                text = f"flow id `{flow.id}` is given twice, first in line {lines[flow.id]}"
                self._report(item, text, "give each flow an id of its own")
                continue
            lines[flow.id] = item.line
            found.append(flow)
        return tuple(found)

    def _flow(self, node: Node, roles: MappingType[str, Role], variants: list[str], phases: list[str]) -> Flow:
        needed = ("id", "kind", "from", "to", "services", "purpose", "cites")
        fields = self._fields(node, _FLOW_FIELDS, "a flow", needed)
        kind = self._choice(fields.get("kind"), KINDS, "kind", "required")
        to, any_destination = self._alternatives(fields.get("to"), "to")
        services, any_service = self._alternatives(fields.get("services"), "services")
        exceptions = self._fields(fields.get("except"), ("services", "documented"), "`except`", ())
        flow = Flow(
            id=self._pattern(fields.get("id"), _NAME, "id", "use lower case letters, digits and hyphens"),
            kind=kind,
            sources=self._parties(fields.get("from"), "from", roles, kind, nobody=kind == "exclusive"),
            destinations=self._parties(to, "to", roles, kind, nobody=False),
            services=self._services(services, "services", needed="services" in fields),
            citations=self._citations(fields.get("cites")),
            origin=self._origin(node),
            any_service=any_service,
            any_destination=any_destination,
            against=self._choice(fields.get("against"), AGAINST, "against", "anyone"),
            host_local=self._flag(fields.get("host_local"), "host_local"),
            variants=self._declared(fields.get("variants"), variants, "variant"),
            phases=self._declared(fields.get("phases"), phases, "phase"),
            optional=self._flag(fields.get("optional"), "optional"),
            condition=self._optional_text(fields.get("condition"), "condition"),
            assumed=self._optional_text(fields.get("assumed"), "assumed"),
            severity=self._choice(fields.get("severity"), SEVERITIES, "severity", "error"),
            purpose=self._text(fields.get("purpose"), "purpose"),
            except_services=self._services(exceptions.get("services"), "services"),
            except_documented=self._flag(exceptions.get("documented"), "documented"),
            managed=self._flag(fields.get("managed"), "managed"),
        )
        self._sense(flow, fields, roles)
        return flow

    def _sense(self, flow: Flow, fields: MappingType[str, Node], roles: MappingType[str, Role]) -> None:
        """What no single field can say: which fields go together."""
        if flow.kind != "required":
            for name in (name for name in _REQUIRED_ALONE if name in fields):
                self._report(
                    fields[name], f"`{name}` is for required flows alone", f"leave it out of a {flow.kind} flow"
                )
            for name, any_of in (("to", flow.any_destination), ("services", flow.any_service)):
                if any_of:
                    self._report(fields[name], "`any_of` is for required flows alone", "list them plainly")
        if flow.kind != "exclusive" and "against" in fields:
            self._report(fields["against"], "`against` is for exclusive flows alone", "leave it out")
        if flow.kind == "required" and "except" in fields:
            self._report(fields["except"], "`except` is not for required flows", "list the services that are needed")
        if flow.kind != "forbidden" and flow.except_documented:
            self._report(fields["except"], "`documented` is for forbidden flows alone", "name the parties in `from`")
        if (
            flow.kind == "forbidden"
            and not {INTERNET, ANYONE}.isdisjoint(flow.sources)
            and not {INTERNET, ANYONE}.isdisjoint(flow.destinations)
        ):
            self._report(fields["to"], "has no role on either side", "name a role in `from` or in `to`")
        if flow.kind == "exclusive" and flow.against == "anyone":
            for name in flow.destinations:
                role = roles.get(name)
                if role is not None and role.shared:
                    text = f"`{name}` is shared with other software, so its ports can't be exclusive against anyone"
                    self._report(fields["to"], text, "write `against: public`")

    # parts

    def _schema(self, node: Node | None) -> None:
        if node is not None and (plain_value(node) != 1 or isinstance(plain_value(node), bool)):
            self._report(node, "is written for a schema that this version doesn't know", "write `schema: 1`")

    def _default_phase(self, node: Node | None, phases: tuple[tuple[str, str], ...], pack: Node) -> str | None:
        if node is None:
            if phases:
                self._report(
                    pack, "has phases but no `default_phase`", "name the phase that counts where none is chosen"
                )
            return None
        name = self._text(node, "default_phase")
        if name and name not in (known for known, _ in phases):
            self._report(node, f"`{name}` is no phase of this pack", _nearest(name, [known for known, _ in phases]))
        return name or None

    def _parties(
        self, node: Node | None, field: str, roles: MappingType[str, Role], kind: str, *, nobody: bool
    ) -> tuple[str, ...]:
        if node is None:
            return ()
        texts = self._texts(node, field)
        if not texts and not nobody and isinstance(node, Sequence):
            self._report(node, f"`{field}` names nobody", "name at least one role")
        for text in texts:
            if text.text in (INTERNET, ANYONE):
                if kind != "forbidden":
                    self._report(text, f"`{text.text}` is a party of forbidden flows alone", "name a role")
            elif text.text not in roles:
                self._report(text, f"`{text.text}` is no role of this pack", _nearest(text.text, list(roles)))
        return self._once(texts, field)

    def _services(self, node: Node | None, field: str, *, needed: bool = False) -> tuple[str, ...]:
        found: list[str] = []
        texts = self._texts(node, field) if node is not None else ()
        if needed and isinstance(node, Sequence) and not texts:
            self._report(node, f"`{field}` is empty", "name at least one service, as tcp/443")
        for text in texts:
            if self._parsed(parse, text, None, "write it as tcp/443, udp/20081, tcp/1-1024, icmp/8/0 or any"):
                found += single_services(text.text)
        self._once(texts, field)
        services = tuple(dict.fromkeys(found))
        if node is not None and len(services) > MOST_SERVICES:
            self._report(node, f"`{field}` has {len(services)} services", "write ranges, as tcp/1-1024")
            return ()
        return services

    def _citations(self, node: Node | None) -> tuple[Citation, ...]:
        if node is None:
            return ()
        if not isinstance(node, Sequence) or not node.items:
            self._report(node, "`cites` names no place of the document", "write `- {section: …, row: …}`")
            return ()
        found: list[Citation] = []
        for item in node.items:
            fields = self._fields(item, ("section", "row"), "a citation", ("section", "row"))
            found.append(
                Citation(
                    self._text(fields.get("section"), "section"), self._text(fields.get("row"), "row", numbers=True)
                )
            )
        return tuple(found)

    def _declared(self, node: Node | None, known: list[str], what: str) -> tuple[str, ...]:
        if node is None:
            return ()
        texts = self._texts(node, f"{what}s")
        for text in texts:
            if text.text not in known:
                self._report(text, f"`{text.text}` is no {what} of this pack", _nearest(text.text, known))
        return self._once(texts, f"{what}s")

    def _alternatives(self, node: Node | None, field: str) -> tuple[Node | None, bool]:
        """A plain value, or what stands under `any_of`."""
        if not isinstance(node, Mapping):
            return node, False
        return self._fields(node, ("any_of",), f"`{field}`", ("any_of",)).get("any_of"), True

    # values

    def _fields(self, node: Node | None, known: tuple[str, ...], what: str, needed: tuple[str, ...]) -> dict[str, Node]:
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._report(node, f"{what} is no mapping", f"write it as `{known[0]}: …` lines")
            return {}
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in known:
                found[key.text] = value
            else:
                self._report(key, f"{what} has no field `{key.text}`", _nearest(key.text, list(known)))
        for name in needed:
            if name not in found:
                self._report(node, f"{what} has no `{name}`", "add it")
        return found

    def _entries(self, node: Node | None, field: str) -> Iterator[tuple[Scalar, Node]]:
        if isinstance(node, Mapping):
            yield from node.entries
        elif node is not None:
            self._report(node, f"`{field}` is no mapping", "write one `name: …` line for each")

    def _named_texts(self, node: Node | None, field: str) -> tuple[tuple[str, str], ...]:
        return tuple((key.text, self._text(value, key.text)) for key, value in self._entries(node, field))

    def _texts(self, node: Node | None, field: str) -> tuple[Scalar, ...]:
        """One text or a list of texts."""
        if node is None:
            return ()
        items: tuple[Node, ...] = node.items if isinstance(node, Sequence) else (node,)
        found: list[Scalar] = []
        for item in items:
            if isinstance(item, Scalar) and isinstance(plain_value(item), str) and item.text.strip():
                found.append(item)
            else:
                remedy = "put it in quotes" if isinstance(item, Scalar) else "write a text or a list of texts"
                self._report(item, f"`{field}` holds something that is no text", remedy)
        return tuple(found)

    def _text(self, node: Node | None, field: str, *, numbers: bool = False) -> str:
        """The text with its white space made plain; a number without quotes is no text unless `numbers` says so."""
        if node is None:
            return ""
        if isinstance(node, Scalar) and node.text.strip():
            value = plain_value(node)
            if isinstance(value, str) or (numbers and not isinstance(value, bool)):
                return " ".join(node.text.split())
            self._report(node, f"`{field}` is no text", "put it in quotes")
            return ""
        self._report(node, f"`{field}` is no text", "write a text there")
        return ""

    def _optional_text(self, node: Node | None, field: str) -> str | None:
        return None if node is None else self._text(node, field) or None

    def _flag(self, node: Node | None, field: str) -> bool:
        if node is None:
            return False
        value = plain_value(node)
        if not isinstance(value, bool):
            self._report(node, f"`{field}` is neither true nor false", "write `true` or leave it out")
            return False
        return value

    def _choice(self, node: Node | None, choices: tuple[str, ...], field: str, default: str) -> str:
        if node is None:
            return default
        if isinstance(node, Scalar) and node.text in choices:
            return node.text
        said = f"`{field}: {node.text}`" if isinstance(node, Scalar) else f"`{field}`"
        self._report(node, f"{said} is not known", f"write one of {', '.join(choices)}")
        return default

    def _pattern(self, node: Node | None, pattern: re.Pattern[str], field: str, remedy: str) -> str:
        text = self._text(node, field)
        if node is not None and text and not pattern.fullmatch(text):
            self._report(node, f"`{text}` is no {field}", remedy)
        return text

    def _parsed(self, parser: Callable[[str], object], text: Scalar, said: str | None, remedy: str) -> bool:
        try:
            parser(text.text)
        except ValueError as error:
            self._report(text, said or f"not a service: {error}", remedy)
            return False
        return True

    def _once(self, texts: tuple[Scalar, ...], field: str) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        for text in texts:
            if text.text in seen:
                self._report(text, f"`{text.text}` stands twice in `{field}`", "keep one of them")
            seen[text.text] = None
        return tuple(seen)

    def _origin(self, node: Node) -> Origin:
        end = node.end_line if isinstance(node, Mapping) else node.line
        return Origin(file=self.file, line=node.line, end_line=end, column=node.column)

    def _report(self, node: Node, text: str, remedy: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
            self.problems.append(PackProblem(self.file, node.line, text, remedy, node.column))


def _nearest(name: str, known: list[str]) -> str:
    if not known:
        return "the pack declares none"
    listed = known[:_MOST_NAMES]
    if len(name) <= 100:
        from difflib import get_close_matches

        near = get_close_matches(name, listed, n=1)
        if near:
            return f"did you mean `{near[0]}`?"
    return f"known are {', '.join(listed)}" + (" and others" if len(known) > len(listed) else "")
