"""Every row of the vendors' documents has a flow with the right parties and services, and every flow has a row.

The tables below are the documents' rows written down a second time, independently of the packs: section, row, source,
destination, services.
"""

from __future__ import annotations

import pytest

from lint.packs import load_builtin

BLOCK = "Deployment Solution for Block Storage > List of Open Ports > "
OBJECT = "Deployment Solution for Object Storage > List of Open Ports > "
MANAGEMENT = "SaaS Connector Management"
VMWARE = "Virtual Machines > VMware"
HYPER_V = "Virtual Machines > Microsoft SCVMM and Hyper-V Servers"
VMC = "Virtual Machines > VMC on AWS"
AVS = "Virtual Machines > Azure VMware Solution"
PHYSICAL = "Physical Servers"
UPGRADE = "Physical Servers > Agent Upgrade > Incoming Traffic"
ORACLE = "Databases > Oracle Servers"
SQL = "Databases > Microsoft SQL Servers"
NAS = "Network Attached Storage (NAS)"
CLUSTER = "1. On SafeHaven Cluster Service Network"
REPLICATION = "2. On SafeHaven Data Replication Network"
LOCAL = "3. On Local Network"
API = "Networking Requirement to Make API Calls"
GUI = "Windows Machine Running the GUI"
INSTALLATION = "About Internet Access > The SafeHaven Cluster Installation Phase"
SUMMARY = "Summary and Recommendation to Firewall Internet Access White Listing"
BACKUP = "Online Backup - Firewall Configuration"
CLIENT = "Online Backup - Client Firewall Configuration"

# pack: (section, row, from, to, services)
ROWS: dict[str, list[tuple[str, str, str, str, str]]] = {
    "hyperbdr/saas-object-storage": [
        (OBJECT + "Agent", "1", "agent", "console", "tcp/443 tcp/30080"),
        (OBJECT + "Agent", "2", "agent", "object-storage", "tcp/443"),
        (OBJECT + "Agent", "3", "console", "object-storage", "tcp/443"),
        (OBJECT + "Agent", "4", "console", "transition-host", "tcp/10729"),
        (OBJECT + "Agent", "5", "console", "cloud-api", "tcp/443"),
        (OBJECT + "Agent", "6", "transition-host", "object-storage", "tcp/443"),
        (OBJECT + "Agentless", "1", "sync-proxy", "vcenter", "tcp/443"),
        (OBJECT + "Agentless", "2", "sync-proxy", "esxi", "tcp/902"),
        (OBJECT + "Agentless", "3", "sync-proxy", "console", "tcp/443 tcp/30080"),
        (OBJECT + "Agentless", "4", "sync-proxy", "object-storage", "tcp/443"),
        (OBJECT + "Agentless", "5", "console", "object-storage", "tcp/443"),
        (OBJECT + "Agentless", "6", "console", "transition-host", "tcp/10729"),
        (OBJECT + "Agentless", "7", "console", "cloud-api", "tcp/443"),
        (OBJECT + "Agentless", "8", "transition-host", "object-storage", "tcp/443"),
    ],
    "hyperbdr/saas-block-storage": [
        (BLOCK + "Agent", "1", "agent", "console", "tcp/443 tcp/30080"),
        (BLOCK + "Agent", "2", "agent", "cloud-sync-gateway", "tcp/13260"),
        (BLOCK + "Agent", "3", "console", "cloud-sync-gateway", "tcp/22 tcp/10729 tcp/16100"),
        (BLOCK + "Agent", "4", "cloud-sync-gateway", "console", "tcp/443 tcp/30080"),
        (BLOCK + "Agent", "5", "console", "cloud-api", "tcp/443"),
        (BLOCK + "Agentless", "1", "sync-proxy", "vcenter", "tcp/443"),
        (BLOCK + "Agentless", "2", "sync-proxy", "esxi", "tcp/902"),
        (BLOCK + "Agentless", "3", "sync-proxy", "console", "tcp/443 tcp/30080"),
        (BLOCK + "Agentless", "4", "sync-proxy", "cloud-sync-gateway", "tcp/13260"),
        (BLOCK + "Agentless", "5", "console", "cloud-sync-gateway", "tcp/22 tcp/10729 tcp/16100"),
        (BLOCK + "Agentless", "6", "cloud-sync-gateway", "console", "tcp/443 tcp/30080"),
        (BLOCK + "Agentless", "7", "console", "cloud-api", "tcp/443"),
        (BLOCK + "Agentless", "8", "console", "transition-host", "tcp/10729"),
    ],
    "safehaven/safehaven-4": [
        ("Article Overview", "1", "administrator", "cms", "tcp/22"),
        ("Article Overview", "2", "srn", "cms", "tcp/20081"),
        ("Article Overview", "2", "gui", "cms", "tcp/20081"),
        ("Article Overview", "3", "srn", "cms", "udp/20081"),
        (CLUSTER, "1", "administrator", "srn", "tcp/22"),
        (CLUSTER, "1", "cms", "srn", "tcp/22"),
        (CLUSTER, "2", "srn", "srn", "tcp/20082"),
        (CLUSTER, "2", "cms", "srn", "tcp/20082"),
        (CLUSTER, "3", "srn", "srn", "udp/20082"),
        (CLUSTER, "3", "cms", "srn", "udp/20082"),
        (REPLICATION, "1", "srn", "srn", "tcp/22"),
        (LOCAL, "1", "protected-server", "srn", "tcp/80"),
        (LOCAL, "2", "protected-server", "srn", "tcp/3260"),
        (LOCAL, "3", "protected-server", "srn", "tcp/5671"),
        (API, "1", "srn", "vcenter", "tcp/443"),
        (API, "2", "srn", "clc-api", "tcp/443"),
        (GUI, "1", "gui", "cms", "tcp/20081"),
        (GUI, "2", "gui", "vcenter", "tcp/443"),
        (INSTALLATION, "1, 2 and last paragraph", "cms", "package-sources", "tcp/80 tcp/443"),
        (INSTALLATION, "1, 2 and last paragraph", "srn", "package-sources", "tcp/80 tcp/443"),
        ("About Internet Access > Normal Operation Phase", "paragraph 1", "srn", "clc-api", "tcp/443"),
        ("Code Update", "paragraph 1", "cms", "package-sources", "tcp/80 tcp/443"),
        (SUMMARY, "1", "srn", "package-sources", "tcp/80 tcp/443"),
        (SUMMARY, "2", "srn", "clc-api", "tcp/443"),
    ],
    "cohesity/saas-connector": [
        (MANAGEMENT, "1", "saas-connector", "helios", "tcp/443"),
        (MANAGEMENT, "2", "saas-connector", "global-accelerator", "tcp/443"),
        (MANAGEMENT, "3", "saas-connector", "cloud-storage", "tcp/443"),
        (MANAGEMENT, "4", "saas-connector", "helios-data", "tcp/443"),
        (MANAGEMENT, "5", "saas-connector", "upgrade-downloads", "tcp/443"),
        (MANAGEMENT, "6", "saas-connector", "connectivity-check", "tcp/443"),
        (MANAGEMENT, "7", "saas-connector", "dns", "tcp/53 udp/53"),
        (MANAGEMENT, "8", "saas-connector", "ntp", "udp/123"),
        (MANAGEMENT, "8", "saas-connector", "ntp", "udp/323"),
        (MANAGEMENT, "9", "saas-connector", "support-channel", "tcp/22 tcp/443"),
        (VMWARE, "1", "saas-connector", "vcenter", "tcp/443"),
        (VMWARE, "2", "saas-connector", "esxi", "tcp/443"),
        (VMWARE, "3", "saas-connector", "esxi", "tcp/902"),
        (HYPER_V, "1", "hyper-v-host", "guest-vm", "tcp/5986"),
        (HYPER_V, "2", "saas-connector", "hyper-v-host", "tcp/50051"),
        (VMC, "1", "saas-connector", "vcenter", "tcp/443"),
        (VMC, "2", "saas-connector", "esxi", "tcp/443"),
        (VMC, "3", "saas-connector", "any-destination", "tcp"),
        (AVS, "1", "saas-connector", "vcenter", "tcp/443"),
        (AVS, "2", "saas-connector", "esxi", "tcp/443"),
        (AVS, "3", "saas-connector", "any-destination", "tcp"),
        (AVS, "4", "saas-connector", "esxi", "tcp/902"),
        (PHYSICAL, "1", "saas-connector", "physical-server", "tcp/50051"),
        (PHYSICAL, "2", "physical-server", "physical-server", "tcp/59999"),
        (UPGRADE, "1", "client", "saas-connector", "tcp/80 tcp/443"),
        (ORACLE, "1", "saas-connector", "oracle-server", "tcp/50051"),
        (ORACLE, "2", "oracle-server", "saas-connector", "tcp/111 tcp/2049"),
        (ORACLE, "3", "oracle-server", "saas-connector", "tcp/11113 tcp/11117"),
        (ORACLE, "4", "oracle-server", "oracle-server", "tcp/59999"),
        (SQL, "1", "saas-connector", "sql-server", "tcp/50051"),
        (SQL, "2", "sql-server", "saas-connector", "tcp/11113 tcp/11117"),
        (SQL, "3", "sql-server", "sql-server", "tcp/1433"),
        (NAS, "1", "saas-connector", "nas", "tcp/2049 tcp/111"),
        (NAS, "2", "saas-connector", "nas", "tcp/445"),
        (NAS, "3", "saas-connector", "nas", "tcp/443"),
    ],
    "securidata/online-backup": [
        (BACKUP, "paragraph 2", "backup-client", "datacenter", "tcp/4401"),
        (BACKUP, "paragraph 2", "backup-client", "datacenter", "tcp/4403"),
        (BACKUP, "paragraph 2", "backup-client", "datacenter", "udp/4403"),
        (CLIENT, "paragraph 2", "backup-client", "datacenter", "tcp/4401"),
        (CLIENT + " > Ports", "1", "backup-client", "datacenter", "tcp/4401"),
        (CLIENT + " > Transparency", "1 and 2", "backup-client", "datacenter", "tcp/4401"),
        (
            CLIENT + " > Monitoring with the Java GUI from an outside connection",
            "1",
            "backup-client",
            "datacenter",
            "udp/4403",
        ),
        (CLIENT + " > Conclusion", "paragraph 1", "backup-client", "datacenter", "tcp/4401"),
        (CLIENT + " > Conclusion", "paragraph 1", "backup-client", "datacenter", "tcp/4403"),
        (CLIENT + " > Conclusion", "paragraph 1", "backup-client", "datacenter", "udp/4403"),
    ],
}  # fmt: skip

# Flows that a document says in prose, or leaves to the named parties alone: pack, flow, kind, from, to, services.
GUARDS = [
    ("hyperbdr/saas-object-storage", "transition-host-driver", "exclusive", "console", "transition-host", "tcp/10729"),
    ("hyperbdr/saas-object-storage", "vcenter-public", "exclusive", "sync-proxy", "vcenter", "tcp/443"),
    ("hyperbdr/saas-object-storage", "esxi-public", "exclusive", "sync-proxy", "esxi", "tcp/902"),
    ("hyperbdr/saas-block-storage", "gateway-ssh", "exclusive", "console", "cloud-sync-gateway", "tcp/22"),
    ("hyperbdr/saas-block-storage", "gateway-data", "exclusive", "agent sync-proxy", "cloud-sync-gateway", "tcp/13260"),
    ("hyperbdr/saas-block-storage", "gateway-driver", "exclusive", "console", "cloud-sync-gateway", "tcp/10729"),
    ("hyperbdr/saas-block-storage", "gateway-control", "exclusive", "console", "cloud-sync-gateway", "tcp/16100"),
    ("hyperbdr/saas-block-storage", "transition-host-driver", "exclusive", "console", "transition-host", "tcp/10729"),
    ("hyperbdr/saas-block-storage", "vcenter-public", "exclusive", "sync-proxy", "vcenter", "tcp/443"),
    ("hyperbdr/saas-block-storage", "esxi-public", "exclusive", "sync-proxy", "esxi", "tcp/902"),
    ("safehaven/safehaven-4", "srn-local", "exclusive", "protected-server", "srn", "tcp/80 tcp/3260 tcp/5671"),
    ("safehaven/safehaven-4", "vcenter-public", "exclusive", "srn gui", "vcenter", "tcp/443"),
    ("safehaven/safehaven-4", "internet-inbound", "forbidden", "internet", "cms srn", "any"),
    ("safehaven/safehaven-4", "operation-outbound", "forbidden", "cms srn", "internet", "any"),
    ("cohesity/saas-connector", "hyper-v-agent-port", "exclusive", "saas-connector", "hyper-v-host", "tcp/50051"),
    ("cohesity/saas-connector", "guest-vm-local", "exclusive", "hyper-v-host", "guest-vm", "tcp/5986"),
    ("cohesity/saas-connector", "vcenter-public", "exclusive", "saas-connector", "vcenter", "tcp/443"),
    ("cohesity/saas-connector", "esxi-public", "exclusive", "saas-connector", "esxi", "tcp/443"),
    ("cohesity/saas-connector", "esxi-storage-public", "exclusive", "saas-connector", "esxi", "tcp/902"),
    ("cohesity/saas-connector", "physical-agent-port", "exclusive", "saas-connector", "physical-server", "tcp/50051"),
    ("cohesity/saas-connector", "physical-local", "exclusive", "", "physical-server", "tcp/59999"),
    ("cohesity/saas-connector", "oracle-agent-port", "exclusive", "saas-connector", "oracle-server", "tcp/50051"),
    ("cohesity/saas-connector", "oracle-local", "exclusive", "", "oracle-server", "tcp/59999"),
    ("cohesity/saas-connector", "connector-nfs", "exclusive", "oracle-server", "saas-connector", "tcp/111 tcp/2049"),
    ("cohesity/saas-connector", "sql-server-agent-port", "exclusive", "saas-connector", "sql-server", "tcp/50051"),
    ("cohesity/saas-connector", "sql-server-local", "exclusive", "", "sql-server", "tcp/1433"),
    (
        "cohesity/saas-connector",
        "connector-backup-ports",
        "exclusive",
        "oracle-server sql-server",
        "saas-connector",
        "tcp/11113 tcp/11117",
    ),
    ("cohesity/saas-connector", "nas-nfs-public", "exclusive", "saas-connector", "nas", "tcp/2049 tcp/111"),
    ("cohesity/saas-connector", "nas-smb-public", "exclusive", "saas-connector", "nas", "tcp/445"),
    ("cohesity/saas-connector", "nas-management-public", "exclusive", "saas-connector", "nas", "tcp/443"),
    ("securidata/online-backup", "datacenter-inbound", "forbidden", "datacenter", "backup-client", "any"),
]  # fmt: skip


@pytest.mark.parametrize("pack_id", ROWS)
def test_every_row_of_the_document_has_a_flow(pack_id: str) -> None:
    said = {
        (cite.section, cite.row, source, destination, " ".join(flow.services))
        for flow in load_builtin()[pack_id].flows
        if flow.kind == "required"
        for cite in flow.citations
        for source in flow.sources
        for destination in flow.destinations
    }
    assert [row for row in ROWS[pack_id] if row not in said] == []


@pytest.mark.parametrize("pack_id", ROWS)
def test_every_required_flow_stands_in_a_row_of_the_document(pack_id: str) -> None:
    rows = {(section, row, services) for section, row, _, _, services in ROWS[pack_id]}
    parties = {(source, destination, services) for _, _, source, destination, services in ROWS[pack_id]}
    for flow in load_builtin()[pack_id].flows:
        if flow.kind == "required":
            services = " ".join(flow.services)
            assert any((cite.section, cite.row, services) in rows for cite in flow.citations), flow.id
            assert any((flow.sources[0], to, services) in parties for to in flow.destinations), flow.id


@pytest.mark.parametrize(("pack_id", "flow_id", "kind", "sources", "destinations", "services"), GUARDS)
def test_what_the_document_keeps_to_its_own_parties(
    pack_id: str, flow_id: str, kind: str, sources: str, destinations: str, services: str
) -> None:
    flow = load_builtin()[pack_id].flow(flow_id)
    assert flow is not None
    found = (flow.kind, " ".join(flow.sources), " ".join(flow.destinations), " ".join(flow.services))
    assert found == (kind, sources, destinations, services)


def test_the_tables_above_name_every_pack_and_every_guard() -> None:
    packs = load_builtin()
    assert set(ROWS) == set(packs)
    guards = {(pack.id, flow.id) for pack in packs.values() for flow in pack.flows if flow.kind != "required"}
    assert {(pack_id, flow_id) for pack_id, flow_id, *_ in GUARDS} == guards


@pytest.mark.parametrize("pack_id", ["hyperbdr/saas-block-storage", "hyperbdr/saas-object-storage"])
def test_a_row_of_a_numbered_table_is_named_by_its_number(pack_id: str) -> None:
    for flow in load_builtin()[pack_id].flows:
        if flow.kind == "required":
            cite = flow.citations[0]
            storage = "block" if cite.section.startswith(BLOCK) else "object"
            assert flow.id == f"{storage}-{cite.section.rsplit(' > ', 1)[1].lower()}-{cite.row}"
