"""Each pack's own cases go as they say, and show every flow kept and broken; a wrong case is told from a right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.packs import PackProblem, builtin_files, load_builtin
from lint.verdict.pack_cases import CaseResult, cases_of, read_cases, run_cases, run_file

WORLD = """\
pack: hyperbdr/saas-block-storage
parties:
  console: {role: console, cidr: 203.0.113.10/32}
  app: {role: agent, address: 10.0.1.5, public: 198.51.100.5}
  gateway: {role: cloud-sync-gateway, address: 10.0.2.9, public: 198.51.100.9}
cases:
  - name: a gateway and an agent
    variants: [agent]
    in: {gateway: ["console tcp/22 tcp/10729 tcp/16100", "app tcp/13260"]}
    out: {app: ["console tcp/443", "gateway any"]}
    expect:
      satisfied:
        ["block-agent-1 tcp/443", block-agent-2, block-agent-3, block-agent-4, gateway-ssh, gateway-data,
        gateway-driver]
      violated: [block-agent-1]
      unbound: [block-agent-5]
      not_applicable: [transition-host-driver]
"""


def run_text(folder: Path, text: str) -> tuple[CaseResult, ...]:
    path = folder / "case.yaml"
    path.write_text(text, encoding="utf-8")
    return run_file(path, load_builtin(), "case.yaml")


@pytest.mark.parametrize("pack_id", builtin_files())
def test_every_case_of_a_pack_goes_as_it_says(pack_id: str) -> None:
    results = run_cases({f"rules/{pack_id}.yaml": builtin_files()[pack_id]})
    assert {result.name: result.failures for result in results if not result.passed} == {}
    assert {(result.pack, result.note) for result in results} == {(pack_id, "")}
    vendor, name = pack_id.split("/")
    assert {result.file for result in results} == {f"rules/{vendor}/tests/{name}.yaml"}


def test_a_pack_without_cases_is_said_to_have_none(tmp_path: Path) -> None:
    source = builtin_files()["securidata/online-backup"]
    (tmp_path / "own.yaml").write_bytes(source.read_bytes())
    (result,) = run_cases({"policies/own.yaml": tmp_path / "own.yaml"})
    assert result.passed
    assert result.note == "no cases; write them in policies/tests/own.yaml"


def test_no_file_of_cases_lies_beside_a_pack_that_is_not_there() -> None:
    for folder in {path.parent for path in builtin_files().values()}:
        assert {path.name for path in (folder / "tests").iterdir()} == {path.name for path in folder.glob("*.yaml")}


@pytest.mark.parametrize("pack_id", sorted(load_builtin()))
def test_every_flow_is_shown_kept_and_broken(pack_id: str) -> None:
    pack = load_builtin()[pack_id]
    path = cases_of(builtin_files()[pack_id])
    shown = {(flow, verdict) for case in read_cases(path, load_builtin()) for (flow, _), verdict in case.expect.items()}
    for flow in pack.flows:
        if flow.host_local:
            assert (flow.id, "not_applicable") in shown
        else:
            assert (flow.id, "satisfied") in shown
            assert (flow.id, "violated") in shown


def test_what_goes_otherwise_than_expected_is_told_flow_by_flow(tmp_path: Path) -> None:
    (result,) = run_text(tmp_path, WORLD)
    assert [text.split(":")[0] for text in result.failures] == ["gateway-control tcp/16100"]
    assert "the case expects nothing of it" in result.failures[0]
    (result,) = run_text(tmp_path, WORLD.replace("gateway-ssh,", "gateway-control,"))
    assert [text.split(":")[0] for text in result.failures] == ["gateway-ssh tcp/22"]
    right = WORLD.replace("gateway-driver]", "gateway-driver, gateway-control]")
    assert run_text(tmp_path, right)[0].passed
    (result,) = run_text(tmp_path, right.replace("unbound:", "undetermined:"))
    assert result.failures[0].startswith("block-agent-5 tcp/443: is unbound instead of undetermined")
    (result,) = run_text(tmp_path, right.replace('"block-agent-1 tcp/443"', '"block-agent-1 tcp/444"'))
    assert any("block-agent-1 tcp/444: is expected, but nothing was judged" in text for text in result.failures)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("pack: hyperbdr/saas-block-storage", "pack: hyperbdr/none", 1, "no pack that is known"),
        ("role: agent", "role: agnet", 4, "no role of hyperbdr/saas-block-storage"),
        ("address: 10.0.1.5", "address: 10.0.1", 4, "no address"),
        ("address: 10.0.1.5, ", "", 4, "needs either `address` or `cidr`"),
        ("cidr: 203.0.113.10/32", "cidr: 203.0.113.10/33", 3, "neither a party nor a CIDR"),
        ("cidr: 203.0.113.10/32", "cidr: 203.0.113.10/32, public: 203.0.113.1", 3, "is no machine"),
        ("variants: [agent]", "variants: [agents]", 8, "no variant here"),
        ("variants: [agent]", "strictness: lax", 8, "no strictness"),
        ("variants: [agent]", "phase: setup", 8, "no phase here"),
        ("variants: [agent]", "without: [nobody]", 8, "no party here"),
        ("in: {gateway:", "in: {console:", 9, "no machine of this case"),
        ("console tcp/22", "consol tcp/22", 9, "neither a party nor a CIDR"),
        ("console tcp/443", "console", 10, "names no service"),
        ("gateway any", "gateway tcp/x", 10, "not a service"),
        ("violated: [block-agent-1]", "broken: [block-agent-1]", 15, "no verdict"),
        ("violated: [block-agent-1]", "violated: [block-agent-9]", 15, "no flow of"),
        ("violated: [block-agent-1]", "violated: [gateway-ssh]", 15, "expected twice"),
        ("violated: [block-agent-1]", "violated: block-agent-1", 15, "is no list"),
        ("    variants:", "    variant:", 8, "no field `variant`"),
        ("  - name: a gateway and an agent\n    variants", "  - variants", 7, "no `name`"),
    ],
)
def test_a_case_that_cannot_be_used_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert old in WORLD
    with pytest.raises(PackProblem) as raised:
        run_text(tmp_path, WORLD.replace(old, new, 1))
    assert said in raised.value.text
    assert (raised.value.file, raised.value.line) == ("case.yaml", line)
    assert raised.value.remedy


def test_a_file_of_cases_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PackProblem, match="can't be read"):
        read_cases(tmp_path / "none.yaml", load_builtin())
