"""The subtle rows: both or one of, TCP and UDP apart, conditions, what a platform opens, what a document leaves out."""

from __future__ import annotations

import pytest

from lint.packs import Flow, Pack, active_flows, load_builtin, services_of
from lint.space.services import parse

BLOCK = "hyperbdr/saas-block-storage"
OBJECT = "hyperbdr/saas-object-storage"
COHESITY = "cohesity/saas-connector"
SAFEHAVEN = "safehaven/safehaven-4"
SECURIDATA = "securidata/online-backup"


def pack(pack_id: str) -> Pack:
    return load_builtin()[pack_id]


def flow(pack_id: str, flow_id: str) -> Flow:
    found = pack(pack_id).flow(flow_id)
    assert found is not None
    return found


def ids(pack_id: str, variants: list[str], phase: str | None = None) -> set[str]:
    return {flow.id for flow in active_flows(pack(pack_id), variants, phase)}


def active(pack_id: str, flow_id: str, variants: list[str], phase: str | None = None) -> Flow:
    return next(flow for flow in active_flows(pack(pack_id), variants, phase) if flow.id == flow_id)


def test_the_packs_that_come_with_netpact() -> None:
    assert set(load_builtin()) == {BLOCK, OBJECT, COHESITY, SAFEHAVEN, SECURIDATA}


@pytest.mark.parametrize(
    ("pack_id", "variants", "phases", "roles"),
    [
        (
            OBJECT,
            "agent agentless-vmware",
            "",
            "agent sync-proxy vcenter esxi console object-storage transition-host cloud-api",
        ),
        (
            BLOCK,
            "agent agentless-vmware",
            "",
            "agent sync-proxy vcenter esxi console cloud-sync-gateway transition-host cloud-api",
        ),
        (
            SAFEHAVEN,
            "vmware clc",
            "installation operation",
            "cms srn gui protected-server vcenter clc-api administrator package-sources",
        ),
        (
            COHESITY,
            "vmware hyper-v vmc-on-aws azure-vmware-solution physical agent-upgrade oracle-linux oracle-windows"
            " sql-server nas-nfs nas-smb nas-snapshot",
            "",
            "saas-connector helios helios-data global-accelerator cloud-storage upgrade-downloads connectivity-check"
            " dns ntp support-channel vcenter esxi hyper-v-host guest-vm physical-server oracle-server sql-server nas"
            " any-destination client",
        ),
        (SECURIDATA, "backup gui", "", "backup-client datacenter"),
    ],
)
def test_variants_phases_and_roles(pack_id: str, variants: str, phases: str, roles: str) -> None:
    found = pack(pack_id)
    assert [name for name, _ in found.variants] == variants.split()
    assert [name for name, _ in found.phases] == phases.split()
    assert {role.name for role in found.roles} == set(roles.split())


@pytest.mark.parametrize("pack_id", [BLOCK, OBJECT, COHESITY, SAFEHAVEN, SECURIDATA])
def test_every_role_takes_part_in_a_flow(pack_id: str) -> None:
    taking_part = {name for flow in pack(pack_id).flows for name in (*flow.sources, *flow.destinations)}
    assert {role.name for role in pack(pack_id).roles} == taking_part - {"internet"}


@pytest.mark.parametrize(
    ("pack_id", "flow_id"),
    [
        (BLOCK, "block-agent-1"),
        (BLOCK, "block-agent-4"),
        (BLOCK, "block-agentless-3"),
        (BLOCK, "block-agentless-6"),
        (OBJECT, "object-agent-1"),
        (OBJECT, "object-agentless-3"),
    ],
)
def test_443_and_30080_are_both_needed(pack_id: str, flow_id: str) -> None:
    assert not flow(pack_id, flow_id).any_service
    assert [text for text, _ in services_of(flow(pack_id, flow_id))] == ["tcp/443", "tcp/30080"]


def test_one_port_of_the_support_channel_is_enough() -> None:
    support = flow(COHESITY, "management-9")
    assert support.any_service
    assert support.services == ("tcp/22", "tcp/443")
    assert {flow.id for flow in pack(COHESITY).flows if flow.any_service} == {"management-9"}


def test_one_resolver_and_one_time_server_are_enough_but_both_protocols_of_dns_are_needed() -> None:
    one_of = {flow.id for flow in pack(COHESITY).flows if flow.any_destination}
    assert one_of == {"management-7", "management-8", "management-8-chronyc"}
    dns = flow(COHESITY, "management-7")
    assert not dns.any_service
    assert dns.services == ("tcp/53", "udp/53")
    role = pack(COHESITY).role("dns")
    assert role is not None
    assert role.default_addresses == ("8.8.8.8/32",)


def test_the_port_of_chronyc_is_optional_and_that_of_ntp_is_not() -> None:
    assert flow(COHESITY, "management-8-chronyc").optional
    assert not flow(COHESITY, "management-8").optional


@pytest.mark.parametrize(
    ("pack_id", "over_tcp", "over_udp"),
    [
        (SAFEHAVEN, "cms-cluster", "cms-heartbeat"),
        (SAFEHAVEN, "srn-cluster-peer", "srn-heartbeat-peer"),
        (SAFEHAVEN, "srn-cluster-cms", "srn-heartbeat-cms"),
        (SECURIDATA, "gui-4403-tcp", "gui-4403-udp"),
    ],
)
def test_udp_and_tcp_of_one_number_are_flows_of_their_own(pack_id: str, over_tcp: str, over_udp: str) -> None:
    tcp, udp = flow(pack_id, over_tcp), flow(pack_id, over_udp)
    assert (tcp.sources, tcp.destinations) == (udp.sources, udp.destinations)
    assert [text.replace("tcp", "udp") for text in tcp.services] == list(udp.services)


def test_rows_that_the_platform_opens_itself() -> None:
    opened = {flow.id for pack in load_builtin().values() for flow in pack.flows if flow.managed}
    assert opened == {
        "block-agentless-5",
        "object-agent-4",
        "object-agent-6",
        "object-agentless-6",
        "object-agentless-8",
    }
    for pack_id in (BLOCK, OBJECT):
        assert [role.name for role in pack(pack_id).roles if role.managed] == ["transition-host"]


def test_ports_that_a_document_leaves_out_are_marked_with_the_reason() -> None:
    assumed = {flow.id for flow in pack(SAFEHAVEN).flows if flow.assumed}
    assert assumed == {
        "cms-ssh",
        "srn-ssh",
        "vcenter-api",
        "clc-api",
        "vcenter-gui",
        "installation-packages",
    }
    assert {flow.id for flow in pack(COHESITY).flows if flow.assumed} == {"nas-1", "nas-2", "nas-3"}
    for pack_id in (BLOCK, OBJECT, SECURIDATA):
        assert not [flow.id for flow in pack(pack_id).flows if flow.assumed]


def test_local_to_local_traffic_is_host_local_and_kept_from_everybody_outside() -> None:
    local = {flow.id for flow in pack(COHESITY).flows if flow.host_local}
    assert local == {"hyper-v-1", "physical-2", "oracle-4", "sql-server-3"}
    for flow_id in ("physical-local", "oracle-local", "sql-server-local"):
        assert flow(COHESITY, flow_id).sources == ()
        assert flow(COHESITY, flow_id).against == "anyone"


@pytest.mark.parametrize("pack_id", [BLOCK, OBJECT, COHESITY, SAFEHAVEN])
def test_shared_parties_are_exclusive_against_public_addresses_alone(pack_id: str) -> None:
    shared = {role.name for role in pack(pack_id).roles if role.shared}
    assert "vcenter" in shared
    guarded = {name for flow in pack(pack_id).flows if flow.kind == "exclusive" for name in flow.destinations}
    assert shared <= guarded
    for guard in pack(pack_id).flows:
        if guard.kind == "exclusive":
            assert guard.against == ("public" if shared & set(guard.destinations) else "anyone")


def test_connector_management_counts_without_any_variant() -> None:
    assert ids(COHESITY, []) == {f"management-{n}" for n in range(1, 10)} | {"management-8-chronyc"}


@pytest.mark.parametrize(
    ("variant", "service"),
    [("nas-nfs", "tcp/2049 tcp/111"), ("nas-smb", "tcp/445"), ("nas-snapshot", "tcp/443")],
)
def test_the_ports_of_a_nas_follow_from_its_protocol(variant: str, service: str) -> None:
    to_nas = [f for f in active_flows(pack(COHESITY), [variant], None) if "nas" in f.destinations]
    assert {" ".join(found.services) for found in to_nas} == {service}
    assert {found.kind for found in to_nas} == {"required", "exclusive"}


@pytest.mark.parametrize(
    ("variants", "sources"),
    [
        (["agent"], ("agent",)),
        (["agentless-vmware"], ("sync-proxy",)),
        (["agent", "agentless-vmware"], ("agent", "sync-proxy")),
    ],
)
def test_who_may_send_data_to_the_gateway_follows_from_the_variants(
    variants: list[str], sources: tuple[str, ...]
) -> None:
    assert active(BLOCK, "gateway-data", variants).sources == sources
    assert active(BLOCK, "gateway-ssh", variants).sources == ("console",)


def test_a_transition_host_stays_the_consoles_where_no_row_of_the_variant_names_it() -> None:
    assert active(BLOCK, "transition-host-driver", ["agent"]).sources == ("console",)


def test_oracle_servers_on_linux_have_no_business_on_the_windows_ports() -> None:
    assert active(COHESITY, "connector-backup-ports", ["oracle-linux", "sql-server"]).sources == ("sql-server",)
    assert active(COHESITY, "connector-backup-ports", ["oracle-windows"]).sources == ("oracle-server",)
    assert "connector-backup-ports" not in ids(COHESITY, ["oracle-linux"])
    assert "connector-nfs" in ids(COHESITY, ["oracle-linux"])
    assert "connector-nfs" not in ids(COHESITY, ["oracle-windows"])


def test_a_running_cluster_needs_nothing_but_https_from_the_internet() -> None:
    outbound = flow(SAFEHAVEN, "operation-outbound")
    assert (outbound.severity, outbound.destinations, outbound.except_documented) == ("warning", ("internet",), True)
    ((text, services),) = services_of(outbound)
    assert text == "any except tcp/443"
    assert services == parse("any") - parse("tcp/443")
    assert "operation-outbound" in ids(SAFEHAVEN, ["vmware"])
    assert "operation-outbound" not in ids(SAFEHAVEN, ["vmware"], "installation")


def test_packages_are_needed_while_the_cluster_is_installed() -> None:
    assert "installation-packages" in ids(SAFEHAVEN, ["vmware"], "installation")
    assert "installation-packages" not in ids(SAFEHAVEN, ["vmware"], "operation")


def test_api_calls_follow_from_the_kind_of_site() -> None:
    assert {"vcenter-api", "vcenter-gui", "vcenter-public"} <= ids(SAFEHAVEN, ["vmware"])
    assert "clc-api" not in ids(SAFEHAVEN, ["vmware"])
    assert ids(SAFEHAVEN, ["vmware"]) - ids(SAFEHAVEN, ["clc"]) == {"vcenter-api", "vcenter-gui", "vcenter-public"}


def test_safehaven_offers_nothing_to_the_internet_but_to_documented_parties() -> None:
    inbound = flow(SAFEHAVEN, "internet-inbound")
    assert (inbound.kind, inbound.sources, inbound.services) == ("forbidden", ("internet",), ("any",))
    assert inbound.except_documented
    assert inbound.severity == "error"


def test_the_datacenter_never_starts_a_connection() -> None:
    inbound = flow(SECURIDATA, "datacenter-inbound")
    assert (inbound.kind, inbound.sources, inbound.services) == ("forbidden", ("datacenter",), ("any",))
    assert not [f.id for f in pack(SECURIDATA).flows if f.kind == "required" and "datacenter" in f.sources]


def test_udp_on_the_backup_port_is_not_asked_for_since_the_conclusion_drops_what_the_introduction_says() -> None:
    assert "UDP" in (flow(SECURIDATA, "backup-4401").condition or "")
    assert ids(SECURIDATA, ["backup"]) == {"backup-4401", "datacenter-inbound"}
    assert ids(SECURIDATA, ["gui"]) == {"backup-4401", "gui-4403-tcp", "gui-4403-udp", "datacenter-inbound"}


@pytest.mark.parametrize("pack_id", [BLOCK, OBJECT, COHESITY, SAFEHAVEN])
def test_signature_services_are_guarded_by_a_flow(pack_id: str) -> None:
    guards = [
        services
        for flow in pack(pack_id).flows
        if flow.kind == "exclusive" or "internet" in flow.sources
        for _, services in services_of(flow)
    ]
    for text in pack(pack_id).signature_services:
        assert any(parse(text) <= services for services in guards), text
