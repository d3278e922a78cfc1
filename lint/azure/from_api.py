"""ARM documents to the model: REST lists, `az … list` output, Resource Graph rows, exported templates, service tags.

Knows the shapes in which Azure hands out its resources, nothing of their meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lint.azure.assemble import assemble
from lint.azure.coverage import Missing, of_type, read_manifest, stand_ins, whole
from lint.azure.in_force import interface_of
from lint.azure.index import (
    BALANCER,
    EFFECTIVE_ADMIN,
    EFFECTIVE_CONNECTIVITY,
    EFFECTIVE_GROUPS,
    EFFECTIVE_ROUTES,
    INTERFACE,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    VIRTUAL_NETWORK,
)
from lint.azure.model import Model
from lint.azure.records import (
    Many,
    Part,
    Record,
    Records,
    canonical,
    last_segment,
    parent_of,
    segment_of,
    type_of,
    view,
)
from lint.azure.service_tags import is_service_tags
from lint.documents.json_text import as_utf8, read_json
from lint.origin import Origin, Reason

MAX_FILE = 512 * 1024 * 1024  # bytes; the public service tags file has about 5 MB
SUFFIXES = (".json", ".jsonl", ".ndjson")
# What is in force at one virtual network or interface; the answers tell of which only by the request.
_EFFECTIVE = {
    "listnetworkmanagereffectivesecurityadminrules": EFFECTIVE_ADMIN,
    "listnetworkmanagereffectiveconnectivityconfigurations": EFFECTIVE_CONNECTIVITY,
    "effectivenetworksecuritygroups": EFFECTIVE_GROUPS,
    "effectiveroutetable": EFFECTIVE_ROUTES,
}
_NAMES = {EFFECTIVE_ADMIN: "admin rules of", EFFECTIVE_CONNECTIVITY: "connectivity of"}
_CHILDREN = {
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/applicationsecuritygroups/addressprefixsets",
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.network/routetables/routes",
}

# What Azure always shows of these resources: a row without it (`az resource list`) shows only part of the resource.
_ALWAYS = {
    SECURITY_GROUP: ("securityRules",),
    VIRTUAL_NETWORK: ("addressSpace",),
    SUBNET: ("addressPrefix", "addressPrefixes", "ipamPoolPrefixAllocations"),
    INTERFACE: ("ipConfigurations",),
    ROUTE_TABLE: ("routes",),
    BALANCER: ("frontendIPConfigurations",),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document of a dump. `file` is relative to the dump; `folder` names the folder that it lies in.

    `request` is the URL or path that was asked for, where the collector kept it.
    """

    data: Any
    file: str | None = None
    folder: str = ""
    request: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)  # where each id stands first

    def resources(self) -> int:
        """How many ARM resources it lists."""
        return sum(1 for _ in _rows(self.data, ""))


_CLOUD = ("microsoft.network/", "microsoft.compute/")
_ANSWERS = {
    "id",
    "value",
    "values",
    "data",
    "responses",
    "$schema",
    "error",
    "netpact_coverage",
    "effectiveSecurityRules",
}
# Older versions of the az command line write `privateIpAddress` where REST and the newer ones say `privateIPAddress`.
# (NAT gateways have `publicIpAddresses` in both.)
_OLD_SPELLING = re.compile(
    r'"((?:private|public)(?=IpA(?:ddress|llocation)(?!es))|frontend|backend|enable(?:Floating)?)Ip([A-Z][A-Za-z]*)?"(?=\s*:)'
)
_MENTIONS = (b"microsoft.", b"changenumber", b"deploymenttemplate")


def load_dump(path: Path, *, azure_only: bool = False) -> tuple[tuple[Document, ...], tuple[Reason, ...]]:
    """All JSON documents of a file or of a folder with its subfolders.

    What can't be read is a problem, never an exception. `azure_only`: files that mention nothing of Azure are left
    out, and nothing is said of them; that keeps dumps of several clouds apart without reading everything twice.
    """
    problems: list[Reason] = []
    documents: list[Document] = []
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        named = [(one, one.relative_to(path).as_posix()) for one in files]
        if not named and not azure_only:
            problems.append(
                Reason(f"{path} holds no JSON file", "azure.dump", None, "name a file or folder of ARM JSON")
            )
    else:
        named = [(path, path.name)]
    for one, name in named:
        origin = Origin(file=name)
        try:
            if one.stat().st_size > MAX_FILE:
                problems.append(Reason(f"{name} is larger than {MAX_FILE >> 20} MB", "azure.dump", origin, "split it"))
                continue
            written = as_utf8(one.read_bytes())
            if azure_only:
                lowered = written.lower()
                if not any(mention in lowered for mention in _MENTIONS):
                    continue
            text = _OLD_SPELLING.sub(r'"\1IP\2"', written.decode("utf-8"))
        except OSError as error:
            problems.append(Reason(f"{name} can't be read: {error.strerror}", "azure.dump", origin))
            continue
        except UnicodeDecodeError as error:
            problems.append(Reason(f"{name} is not UTF-8 text (byte {error.start})", "azure.dump", origin))
            continue
        folder = Path(name).parent.as_posix()
        folder = "" if folder == "." else folder
        try:
            data, twice = read_json(text)
            documents.append(Document(data, name, folder, None, _lines(text)))
            if twice:
                problems.append(
                    Reason(
                        f"{name} gives the key {twice[0][:60]!r} twice in one object, and only one of them was read",
                        "azure.dump",
                        origin,
                        "collect it again",
                    )
                )
        except RecursionError:
            problems.append(Reason(f"{name} is nested too deeply", "azure.dump", origin))
        except ValueError as error:
            lines, problem = _json_lines(text, name)
            if lines is None:
                at = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                problems.append(
                    Reason(f"{name}{at}: not JSON: {problem or error}", "azure.dump", origin, "correct or remove it")
                )
            else:
                documents.append(Document(lines, name, folder, None, _lines(text)))
    return tuple(documents), tuple(problems)


_ID = re.compile(r'"id"\s*:\s*"([^"\\\n]{1,2000})"')


def _lines(text: str) -> dict[str, int]:
    """The line on which each id stands first."""
    found: dict[str, int] = {}
    line, behind = 1, 0
    for match in _ID.finditer(text):
        line += text.count("\n", behind, match.start())
        behind = match.start()
        found.setdefault(match.group(1), line)
    return found


def _json_lines(text: str, name: str) -> tuple[list[Any] | None, str]:
    """One JSON value a line, or None."""
    found: list[Any] = []
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return None, ""
    for line in lines:
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            return None, ""
    return found, ""


def is_dump(data: Any) -> bool:
    """Whether a JSON document is something of Azure that `read` takes."""
    if is_service_tags(data) or _is_template(data):
        return True
    if isinstance(data, Mapping) and ("netpact_coverage" in data or _effective_type(str(data.get("request")))):
        return True
    for at, (row, _) in enumerate(_rows(data, "")):
        if at > 50:
            break
        kind = _type(row)
        if kind.startswith(_CLOUD):
            return True
        if "effectiveSecurityRules" in row:
            return True
    return isinstance(data, Mapping) and (_spec_body(data) is not None or bool(_wrapped(data)) or _says_azure(data))


def _says_azure(data: Mapping[str, Any]) -> bool:
    """Whether an error comes from Azure's resource manager, which names what it refused."""
    return _refused(data) is not None and "microsoft." in str(data["error"].get("message", "")).lower()


def _wrapped(data: Any) -> list[Any]:
    """What one object holds under names of a person's own choice, if answers are among it."""
    if not _wraps(data, 3):
        return []
    return [one for one in data.values() if isinstance(one, Mapping | list)]


def _wraps(data: Any, depth: int) -> bool:
    if not isinstance(data, Mapping) or depth == 0 or _ANSWERS & data.keys():
        return False
    return any(_is_answer(one) or _wraps(one, depth - 1) for one in data.values())


def _is_answer(data: Any) -> bool:
    """Whether this is a list of ARM resources, or one page of them."""
    rows = data.get("value") if isinstance(data, Mapping) else data
    if not isinstance(rows, list):
        return False
    first = next((one for one in rows if isinstance(one, Mapping)), None)
    if first is None:
        return isinstance(data, Mapping)
    return _is_answer(first) or _type(first).startswith(_CLOUD)


def _refused(data: Any) -> str | None:
    """What an answer says that is an error: `{"error": {"code", "message"}}`."""
    error = data.get("error") if isinstance(data, Mapping) and "value" not in data else None
    if not isinstance(error, Mapping) or not isinstance(error.get("code"), str):
        return None
    return str(error["code"])[:100]


def _effective_type(asked: str) -> str | None:
    """What a request for data that is in force answers."""
    return _EFFECTIVE.get(asked.partition("?")[0].rpartition("/")[2].lower())


def _is_template(data: Any) -> bool:
    return isinstance(data, Mapping) and "deploymenttemplate" in str(data.get("$schema", "")).lower()


def read(documents: Sequence[Any]) -> Model:
    """The model of these documents: `Document`s, or plain parsed JSON."""
    return assemble(records(documents))


def records(documents: Sequence[Any]) -> Records:
    """The resources of these documents, each once; what is incomplete, and service tag data."""
    reading = _Reading()
    for one in documents:
        document = one if isinstance(one, Document) else Document(one)
        reading.take(document)
    return reading.finish()


class _Reading:
    """What was found so far. The first record of an identity stays; a later one may add what it lacks."""

    def __init__(self) -> None:
        self.found: dict[str, Record] = {}
        self.problems: dict[Reason, None] = {}
        self.notes: dict[str, None] = {}
        self.tags: list[tuple[Any, Origin]] = []
        self.pages: dict[tuple[str, str, str], list[bool]] = {}  # by folder, type and subscription: is it a last page
        self.refusals: dict[Reason, str] = {}  # answers that are an error, with the type that was asked for
        self.types: set[str] = set()
        self.missing: dict[Missing, None] = {}

    def take(self, document: Document) -> None:
        data = document.data
        origin = Origin(file=document.file)
        if isinstance(data, Mapping):
            body = _spec_body(data)
            data = body if body is not None else data
        if is_service_tags(data):
            self.tags.append((data, origin))
            return
        if _is_template(data):
            from lint.azure.arm_templates import template_rows

            rows, notes = template_rows(data, document.folder or "template")
            self.notes.update(dict.fromkeys(notes))
            for row in rows:
                self.row(row, origin, document, "template")
            return
        if isinstance(data, list) and data and all(isinstance(one, Mapping) and "value" in one for one in data):
            for page in data:
                self.take(replace(document, data=page))
            return
        if isinstance(data, Mapping) and "netpact_coverage" in data:
            self.missing.update(dict.fromkeys(read_manifest(data["netpact_coverage"])))
            return
        parts = _wrapped(data)
        if parts:
            for part in parts:
                self.take(replace(document, data=part))
            return
        asked = _asked(data, document)
        refused = _refused(data)
        if refused is not None:
            kind = type_of((asked or "").partition("?")[0])
            what = kind or f"what {document.file or 'a document'} was to hold"
            self.refusals[
                Reason(f"Azure refused {what}: {refused}", f"azure.coverage:{kind}", origin, "collect it again")
            ] = kind
            return
        if asked is not None and isinstance(data, Mapping) and _effective_type(asked) is not None:
            self._effective(data, asked, origin)
            return
        count = 0
        kinds: set[str] = set()
        subscriptions: set[str] = set()
        for row, _ in _rows(data, ""):
            count += 1
            subscriptions.add((segment_of(str(row.get("id")), "subscriptions") or "").lower())
            kind = self.row(row, origin, document, "dump")
            if kind:
                kinds.add(kind)
        if isinstance(data, Mapping):
            more = data.get("nextLink") or data.get("skip_token") or data.get("$skipToken")
            truncated = str(data.get("resultTruncated", "")).lower() == "true"
            kind = next(iter(sorted(kinds)), type_of(asked or ""))
            # A link to a further page names its subscription; pages of several subscriptions are one list.
            named = segment_of(more, "subscriptions") if isinstance(more, str) else None
            of = (named or (subscriptions.pop() if len(subscriptions) == 1 else "")).lower()
            self.pages.setdefault((document.folder, kind, of), []).append(not (more or truncated))
        if count == 0 and not (isinstance(data, Mapping) and isinstance(data.get("value"), list)) and data != []:
            where = document.file or "a document"
            self.notes[f"{where} holds nothing of Azure's network that netpact knows"] = None

    def row(self, row: Mapping[str, Any], origin: Origin, document: Document, source: str) -> str:
        """Keep one resource; its type, or "" where it is none."""
        identity = row.get("id")
        kind = _type(row)
        if not isinstance(identity, str) or not kind:
            interface = interface_of(row) if "effectiveSecurityRules" in row else None
            if interface is not None:
                self._effective({"value": [row]}, f"{interface}/effectiveNetworkSecurityGroups", origin)
            elif "effectiveSecurityRules" in row:
                self.notes["effective security rules name no interface, so nothing was compared with them"] = None
            return ""
        if "microsoft.classicnetwork" in identity.lower():
            self.notes[f"{identity} is a classic resource; these are not modelled"] = None
            return ""
        key = canonical(identity)
        self.types.add(kind)
        location = row.get("location")
        subscription = segment_of(identity, "subscriptions") or _text(row.get("subscriptionId"))
        name = _text(row.get("name")) or last_segment(identity)
        name = name.rpartition("/")[2]
        tags = row.get("tags")
        version = _text(row.get("apiVersion"))
        record = Record(
            type=kind,
            key=key,
            name=name,
            properties=row if row.get("name") == name else {**row, "name": name},
            origin=replace(
                origin,
                line=document.lines.get(identity),
                account=subscription,
                region=_text(location),
                resource_id=identity,
            ),
            lines=document.lines,
            ids=tuple(dict.fromkeys((identity, key))),
            subscription=subscription,
            group=segment_of(identity, "resourceGroups") or _text(row.get("resourceGroup")),
            location=_text(location),
            tags=tuple((str(one), str(value)) for one, value in tags.items()) if isinstance(tags, Mapping) else (),
            sku=row.get("sku"),
            parent=parent_of(identity) if kind in _CHILDREN or kind.count("/") > 1 else None,
            api_version=version,
            source=source,
        )
        if source == "dump":
            record = replace(record, partial=_partial(record))
        held = self.found.get(key)
        if held is not None and kind == SECURITY_GROUP and not held.partial and not record.partial:
            record = _agreed(held, record)
            held = None
        if held is None or _size(held) < _size(record):
            self.found[key] = record
        return kind

    def _effective(self, data: Mapping[str, Any], asked: str, origin: Origin) -> None:
        kind = _effective_type(asked) or EFFECTIVE_ADMIN
        network = asked.partition("?")[0].rpartition("/")[0]
        at = network.lower().find("/subscriptions/")
        network = network[at:] if at >= 0 else network
        key = f"{canonical(network)}#{kind}"
        values = data.get("value")
        items = list(values) if isinstance(values, list) else []
        held = self.found.get(key)
        if held is not None:
            items = [*held.properties["value"], *items]
        self.found[key] = Record(
            type=kind,
            key=key,
            name=f"{_NAMES.get(kind, 'what is in force at')} {last_segment(network)}",
            properties={"of": network, "value": items},
            origin=replace(origin, resource_id=network),
        )
        if data.get("skipToken"):
            self.pages.setdefault((network, kind, ""), []).append(False)
        else:
            self.pages.setdefault((network, kind, ""), []).append(True)

    def finish(self) -> Records:
        missing = tuple(self.missing)
        incomplete = list(whole(missing))
        partial = {kind: of_type(missing, kind) for kind in sorted({one.type for one in missing if not one.of})}
        for refusal, kind in self.refusals.items():
            incomplete.append(refusal)
            partial[kind] = (*partial.get(kind, ()), refusal)
        for (folder, kind, of), pages in self.pages.items():
            if any(pages):
                continue
            where = (f" in {folder}" if folder else "") + (f" of subscription {of}" if of else "")
            reason = Reason(
                f"the list of {kind or 'resources'}{where} ends with a link to a further page that isn't there",
                f"azure.coverage:{kind}",
                None,
                "collect all pages",
            )
            incomplete.append(reason)
            partial[kind] = (*partial.get(kind, ()), reason)
        return Records(
            records=(*self.found.values(), *stand_ins(self.found, missing)),
            problems=tuple(self.problems),
            incomplete=tuple(incomplete),
            notes=tuple(self.notes),
            tag_documents=tuple(self.tags),
            closed=False,
            partial_types=partial,
            seen_types=frozenset(self.types),
            missing=missing,
        )


def _partial(record: Record) -> tuple[Reason, ...]:
    """Why a row doesn't show its resource: what Azure always shows of it isn't there."""
    fields = _ALWAYS.get(record.type)
    if fields is None or any(view(record).raw(one) is not None for one in fields):
        return ()
    return (
        Reason(
            f"the dump shows only part of {record.name} ({record.type}): it has no {' and no '.join(fields[:2])}",
            f"azure.coverage:{record.type}",
            record.origin,
            "add the resource as its own list command or the REST API shows it",
        ),
    )


_SIDES = ("PortRange", "PortRanges", "AddressPrefix", "AddressPrefixes", "ApplicationSecurityGroups")
_RULE_FIELDS = (
    "direction",
    "access",
    "priority",
    "protocol",
    *(f"{end}{what}" for end in ("source", "destination") for what in _SIDES),
)


def _agreed(one: Record, other: Record) -> Record:
    """The larger of two rows of one NSG; open where they don't show the same rules."""
    larger = one if _size(one) >= _size(other) else other
    if _rules_of(one) == _rules_of(other):
        return larger
    reason = Reason(
        f"the dump shows {one.name} twice, with different rules",
        "azure.dump.contradiction",
        one.origin,
        "keep the newer one",
    )
    items, more = view(larger).parts("securityRules")
    rules = Many(tuple(Part(item.data, item.origin) for item in items), (*more, reason))
    nested = larger.properties.get("properties")
    if isinstance(nested, Mapping):
        return replace(larger, properties={**larger.properties, "properties": {**nested, "securityRules": rules}})
    return replace(larger, properties={**larger.properties, "securityRules": rules})


def _rules_of(record: Record) -> frozenset[str]:
    """The rules of an NSG as texts that are equal where Azure takes them as equal."""
    items, more = view(record).parts("securityRules")
    rules = {json.dumps([_plain(item.raw(name)) for name in ("name", *_RULE_FIELDS)], default=str) for item in items}
    return frozenset(rules | {one.text for one in more})


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return sorted(str(_plain(one.get("id") if isinstance(one, Mapping) else one)) for one in value)
    return str(value).lower() if value not in (None, "") else []


def _size(record: Record) -> int:
    """How much a row says: a row nested elsewhere says less than the resource itself."""
    nested = record.properties.get("properties")
    return len(record.properties) + (len(nested) if isinstance(nested, Mapping) else 0)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _asked(data: Any, document: Document) -> str | None:
    if document.request is not None:
        return document.request
    return _text(data.get("request")) if isinstance(data, Mapping) else None


def _type(row: Mapping[str, Any]) -> str:
    kind = row.get("type")
    if isinstance(kind, str) and "/" in kind:
        return kind.lower()
    identity = row.get("id")
    return type_of(identity) if isinstance(identity, str) else ""


def _spec_body(data: Mapping[str, Any]) -> Any:
    """The payload of an example of the public API specification."""
    responses = data.get("responses")
    if not isinstance(responses, Mapping):
        return None
    for code in ("200", "201"):
        answer = responses.get(code)
        if isinstance(answer, Mapping) and isinstance(answer.get("body"), Mapping | list):
            return answer["body"]
    return None


def _rows(data: Any, pointer: str, depth: int = 0) -> Iterator[tuple[Mapping[str, Any], str]]:
    """All resource objects of a document with their JSON pointers."""
    if depth > 4:
        return
    if isinstance(data, list):
        for at, one in enumerate(data):
            yield from _rows(one, f"{pointer}/{at}", depth + 1)
        return
    if not isinstance(data, Mapping):
        return
    body = _spec_body(data)
    if body is not None:
        yield from _rows(body, f"{pointer}/responses", depth + 1)
        return
    value = data.get("value")
    if isinstance(value, list) and not isinstance(data.get("id"), str):
        yield from _rows(value, f"{pointer}/value", depth + 1)
        return
    held = data.get("data")
    if isinstance(held, list):
        yield from _rows(held, f"{pointer}/data", depth + 1)
        return
    if isinstance(held, Mapping) and isinstance(held.get("columns"), list) and isinstance(held.get("rows"), list):
        names = [str(one.get("name")) if isinstance(one, Mapping) else str(one) for one in held["columns"]]
        for at, row in enumerate(held["rows"]):
            if isinstance(row, list):
                yield dict(zip(names, row)), f"{pointer}/data/rows/{at}"
        return
    if isinstance(data.get("id"), str) or "effectiveSecurityRules" in data:
        yield data, pointer
