"""The project file: what it may say, and one clear message with its line for each mistake."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from lint.origin import Origin
from lint.packs.model import Citation, Flow, Pack, Role
from lint.project import PROFILES, ProjectError, check_names, load, loads
from lint.space.addresses import parse_cidrs

PATH = Path("/project/netpact.yaml")
GOOD = """\
version: 1
sources: [infra/prod]
deployments:
  prod-dr:
    pack: hyperbdr/saas-block-storage
    variants: [agent]
    phase: operation
    strictness: internet
    parameters: {region: us-east-1}
    client_ports: {agent: linux, console: 40000-50000}
    roles:
      console: [{addresses: [203.0.113.10/32]}]
      cloud-sync-gateway: [{tags: {dr-role: gateway}}, {security_groups: ["*sync-gateway*"], regions: us-east-1}]
      agent: [{terraform: "module.app[*].aws_instance.*"}, {names: ["app-*"]}, {ids: [i-0abc]}]
      cloud-api: [{prefix_list: com.amazonaws.us-east-1.ec2}, {service_tag: AzureResourceManager}]
waivers:
  - finding: prod-dr/gateway-ssh
    where: aws_security_group.gateway
    reason: break-glass access until the bastion is live
    expires: 2027-01-31
transparent: [eni-0abc]
prefix_lists: {pl-1: [10.0.0.0/8, 2001:db8::/32]}
"""


def test_all_that_a_project_file_may_say():
    project = loads(GOOD, PATH)
    assert project.sources == ("infra/prod",)
    assert project.directory == PATH.parent
    assert project.transparent == ("eni-0abc",)
    assert project.prefix_lists == {"pl-1": ("10.0.0.0/8", "2001:db8::/32")}
    (deployment,) = project.deployments
    assert (deployment.name, deployment.pack) == ("prod-dr", "hyperbdr/saas-block-storage")
    assert (deployment.variants, deployment.phase, deployment.strictness) == (("agent",), "operation", "internet")
    assert deployment.parameters == {"region": "us-east-1"}
    assert deployment.client_ports["agent"] == PROFILES["linux"]
    assert [binding.role for binding in deployment.roles] == ["console", "cloud-sync-gateway", "agent", "cloud-api"]
    (console,) = deployment.binding("console").selectors
    assert console.conditions[0].addresses == parse_cidrs("203.0.113.10/32")
    tagged, grouped = deployment.binding("cloud-sync-gateway").selectors
    assert tagged.conditions[0].tags == (("dr-role", ("gateway",)),)
    assert [c.kind for c in grouped.conditions] == ["security_groups", "regions"]
    assert grouped.origin.line == 13
    (waiver,) = project.waivers
    assert waiver.expires == datetime.date(2027, 1, 31)
    assert (waiver.finding, waiver.where) == ("prod-dr/gateway-ssh", "aws_security_group.gateway")


def test_scalars_mean_what_was_written():
    text = "version: 1\ndeployments:\n  a:\n    pack: x/y\n    roles:\n"
    text += "      r: [{names: [no, 0123, 1.50], tags: {on: yes}}]\n"
    (selector,) = loads(text, PATH).deployments[0].roles[0].selectors
    assert selector.conditions[0].patterns == ("no", "0123", "1.50")
    assert selector.conditions[1].tags == (("on", ("yes",)),)


def test_anchors_and_merge_keys_work():
    text = GOOD + "x: 1\n"
    text = text.replace("x: 1\n", "").replace("  prod-dr:\n", "  prod-dr: &one\n")
    text = text.replace("waivers:", "  second:\n    <<: *one\n    phase: installation\nwaivers:")
    first, second = loads(text, PATH).deployments
    assert second.roles == first.roles
    assert (first.phase, second.phase) == ("operation", "installation")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("sources:", "source:", 2, ["`source`", "did you mean `sources`?"]),
        ("    variants:", "    varants:", 6, ["`varants`", "did you mean `variants`?"]),
        ("sources: [infra/prod]", "version: 1", 2, ["`version` stands twice", "line 1"]),
        ("    phase: operation", "    pack: x/y", 7, ["`pack` stands twice", "line 5"]),
        ("203.0.113.10/32", "203.0.113.10/33", 12, ["`203.0.113.10/33` is not a CIDR"]),
        ("203.0.113.10/32", "vpn.example.com", 12, ["is not a CIDR"]),
        ("expires: 2027-01-31", "expires: 2027-02-31", 20, ["`2027-02-31` is not a date", "YYYY-MM-DD"]),
        ("expires: 2027-01-31", "expires: next year", 20, ["is not a date"]),
        ("strictness: internet", "strictness: port", 8, ["`port`", "did you mean `ports`?"]),
        ("{names:", "{name:", 14, ["`name`", "did you mean `names`?"]),
        ("[{addresses: [203.0.113.10/32]}]", "203.0.113.10/32", 12, ["list of selectors"]),
        ("[{addresses: [203.0.113.10/32]}]", "[{addresses: []}]", 12, ["`addresses` is empty"]),
        ("version: 1", "version: 2", 1, ["version"]),
        ("    pack: hyperbdr/saas-block-storage\n", "", 4, ["names no pack"]),
        ("    reason: break-glass access until the bastion is live\n", "", 17, ["no `reason`"]),
        ("agent: linux", "agent: lots", 10, ["`lots`", "linux"]),
        ("10.0.0.0/8", "10.0.0.0/99", 22, ["`10.0.0.0/99`"]),
        ("sources: [infra/prod]", "sources: [infra/prod", 3, ["not valid YAML"]),
        ("sources: [infra/prod]", "packs: [nothing/*.yaml]", 2, ["no file matches `nothing/*.yaml`"]),
        ("sources: [infra/prod]", "sources: *gone", 2, ["`*gone`"]),
        ("sources: [infra/prod]", "sources: [[a]]", 2, ["list of texts"]),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(old, new, line, words):
    assert old in GOOD
    with pytest.raises(ProjectError) as caught:
        loads(GOOD.replace(old, new, 1), PATH)
    told = [p for p in caught.value.problems if all(word in f"{p.text} {p.remedy}" for word in words)]
    assert told, [(p.text, p.origin) for p in caught.value.problems]
    assert told[0].origin.line == line
    assert told[0].origin.file == str(PATH)
    assert told[0].severity == "error"
    assert told[0].remedy


def test_all_mistakes_are_told_at_once():
    text = GOOD.replace("sources:", "source:").replace("203.0.113.10/32", "x").replace("2027-01-31", "x")
    with pytest.raises(ProjectError) as caught:
        loads(text, PATH)
    assert [p.origin.line for p in caught.value.problems] == [2, 12, 20]
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("/project/netpact.yaml:12: `x` is not a CIDR or an address; write for example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "version: 1",
        "a",
        "\x00",
        "version: 1\ndeployments: 7",
        "version: 1\ndeployments: {a: 7}",
        "version: 1\ndeployments: {a: {pack: [x]}}",
        "version: 1\n---\nversion: 1",
        "? [a]\n: b",
        "[" * 100_000,
        "{a: " * 100_000,
        "version: 1\ndeployments: {a: {pack: x, roles: {r: 7}}}",
        "version: 1\ndeployments: {a: {pack: x, roles: {r: [7]}}}",
        "version: 1\ndeployments: {a: {pack: x, roles: {r: [{tags: 7}]}}}",
        "version: 1\ndeployments: {a: {pack: x}}\nwaivers: [7]",
        "version: 1\ndeployments: {a: {pack: x}}\nwaivers: 7",
        "version: 1\ndeployments: {a: {pack: x}}\npacks: ['/**/x', '../../*[']",
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_no_text_ends_in_anything_but_a_message(text):
    with pytest.raises(ProjectError) as caught:
        loads(text, PATH)
    assert caught.value.problems


def test_anchors_that_unfold_without_end_are_refused():
    lines = ["version: 1", "x0: &x0 [" + ", ".join(["a"] * 1000) + "]"]
    roles = ", ".join(f"r{i}: &r{i} [" + ", ".join(["{names: *x0}"] * 300) + "]" for i in range(1))
    text = "version: 1\ndeployments:\n"
    text += "  d0: &d\n    pack: &x0 p\n    roles: {" + roles.replace("*x0", "&n [" + ", ".join(["a"] * 1000) + "]", 1)
    text = text.replace("*x0", "*n") + "}\n" + "".join(f"  d{i}: *d\n" for i in range(1, 100))
    assert lines
    with pytest.raises(ProjectError, match="too many parts"):
        loads(text, PATH)


def test_files_are_read_with_a_bom_and_crlf(tmp_path):
    path = tmp_path / "netpact.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path).deployments[0].name == "prod-dr"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"a" * 5_000_000])
def test_a_file_that_cannot_be_read_is_a_message(tmp_path, content):
    path = tmp_path / "netpact.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        load(path)
    assert caught.value.problems[0].origin.file == str(path)


def test_globs_of_packs_and_files_are_relative_to_the_project_file(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "b.yaml").write_text("x")
    (tmp_path / "policies" / "a.yaml").write_text("x")
    (tmp_path / "tags.json").write_text("{}")
    text = GOOD + "packs: [policies/*.yaml]\nservice_tags: tags.json\n"
    project = loads(text, tmp_path / "netpact.yaml")
    assert [path.name for path in project.packs] == ["a.yaml", "b.yaml"]
    assert [path.name for path in project.service_tags] == ["tags.json"]


PACK = Pack(
    id="hyperbdr/saas-block-storage",
    title="",
    document_title="",
    document_url=None,
    variants=(("agent", ""),),
    phases=(("operation", ""), ("installation", "")),
    default_phase="operation",
    roles=tuple(Role(name, name, "any") for name in ("console", "cloud-sync-gateway", "agent", "cloud-api")),
    flows=(Flow("gateway-ssh", "exclusive", (), (), (), (Citation("", ""),), Origin()),),
    signature_services=(),
    parameters=(("region", ""),),
    origin=Origin(),
)


def test_names_that_the_pack_has_are_accepted():
    assert check_names(loads(GOOD, PATH), {PACK.id: PACK}) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("pack: hyperbdr/saas-block-storage", "pack: hyperbdr/saas-blok-storage", 5, ["no pack", "did you mean"]),
        ("variants: [agent]", "variants: [agents]", 6, ["no variant `agents`", "did you mean `agent`?"]),
        ("phase: operation", "phase: operations", 7, ["no phase", "did you mean `operation`?"]),
        ("{region:", "{regoin:", 9, ["no parameter", "did you mean `region`?"]),
        ("{agent: linux", "{agnt: linux", 10, ["no role", "did you mean `agent`?"]),
        ("      console:", "      consol:", 12, ["no role `consol`", "did you mean `console`?"]),
        ("      console:", "      zzz:", 12, ["no role `zzz`", "console, cloud-sync-gateway"]),
        ("finding: prod-dr/gateway-ssh", "finding: prod/gateway-ssh", 17, ["no deployment", "prod-dr"]),
        ("finding: prod-dr/gateway-ssh", "finding: prod-dr/gateway-sh", 17, ["no flow", "did you mean `gateway-ssh`?"]),
    ],
)
def test_a_name_that_the_pack_does_not_have_is_told_with_its_line(old, new, line, words):
    (problem,) = check_names(loads(GOOD.replace(old, new, 1), PATH), {PACK.id: PACK})
    assert all(word in f"{problem.text} {problem.remedy}" for word in words), problem
    assert problem.origin.line == line
    assert problem.severity == "error"
