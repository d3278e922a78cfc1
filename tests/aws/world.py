"""A short way to write what `aws ec2 describe-…` prints, and to say what a rule graph lets through.

The base world: VPC 10.0.0.0/16 with subnets A 10.0.1.0/24 and B 10.0.2.0/24, default network ACL, main route table;
a = 10.0.1.10 with group sg-a, b = 10.0.2.10 with group sg-b; groups let everything IPv4 out.
"""

from __future__ import annotations

from typing import Any

from lint.aws import graph_from_documents
from lint.aws.from_api import Document
from lint.graph.graph import RuleGraph
from lint.reach import Party, between
from lint.space.addresses import PUBLIC, cidrs, parse_cidrs
from lint.space.intervals import IntervalSet
from lint.space.services import parse, render
from lint.space.traffic import TrafficSet

Json = dict[str, Any]
# What may stand where something else is expected.
ANY_JSON: list[Any] = [None, True, -1, 3.5, "", "x", [], [None], ["x"], [{}], {}, {"a": [1]}, [[1]]]
EVERYONE = "0.0.0.0/0"
EVERYONE6 = "::/0"


def permit(protocol: str, low: int | None = None, high: int | None = None, *peers: str, **pair: str) -> Json:
    """One IpPermission. Peers: CIDRs, `sg-…`, `pl-…`; `pair` adds attributes to the group pairs."""
    made: Json = {"IpProtocol": protocol}
    if low is not None:
        made |= {"FromPort": low, "ToPort": high}
    made["IpRanges"] = [{"CidrIp": p} for p in peers if "/" in p and ":" not in p]
    made["Ipv6Ranges"] = [{"CidrIpv6": p} for p in peers if "/" in p and ":" in p]
    made["UserIdGroupPairs"] = [{"GroupId": p, **pair} for p in peers if p.startswith("sg-")]
    made["PrefixListIds"] = [{"PrefixListId": p} for p in peers if p.startswith("pl-")]
    return made


OUT = permit("-1", None, None, EVERYONE)
OUT6 = permit("-1", None, None, EVERYONE, EVERYONE6)


def group(id_: str, *ingress: Json, out: tuple[Json, ...] = (OUT,), vpc: str = "vpc-1", name: str = "") -> Json:
    """One security group."""
    return {
        "GroupId": id_,
        "GroupName": name or id_,
        "VpcId": vpc,
        "IpPermissions": list(ingress),
        "IpPermissionsEgress": list(out),
    }


def interface(
    name: str,
    address: str,
    *groups: str,
    subnet: str = "",
    vpc: str = "vpc-1",
    public: str = "",
    more: tuple[str, ...] = (),
    v6: tuple[str, ...] = (),
    **other: Any,
) -> Json:
    """One network interface; its subnet by its address unless given."""
    private: list[Json] = [{"PrivateIpAddress": a} for a in (address, *more)]
    if public:
        private[0]["Association"] = {"PublicIp": public}
    return {
        "NetworkInterfaceId": f"eni-{name}",
        "SubnetId": subnet or ("subnet-a" if address.startswith("10.0.1.") else "subnet-b"),
        "VpcId": vpc,
        "Status": "in-use",
        "InterfaceType": "interface",
        "PrivateIpAddresses": private,
        "Ipv6Addresses": [{"Ipv6Address": a} for a in v6],
        "Groups": [{"GroupId": g} for g in groups],
        **other,
    }


def subnet(id_: str, cidr: str, vpc: str = "vpc-1", zone: str = "az1", v6: str = "") -> Json:
    """One subnet."""
    made: Json = {"SubnetId": id_, "VpcId": vpc, "CidrBlock": cidr, "AvailabilityZoneId": zone}
    if v6:
        made["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": v6, "Ipv6CidrBlockState": {"State": "associated"}}]
    return made


def vpc(id_: str, cidr: str, v6: str = "", **other: Any) -> Json:
    """One VPC."""
    made: Json = {
        "VpcId": id_,
        "CidrBlock": cidr,
        "CidrBlockAssociationSet": [{"CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}],
        **other,
    }
    if v6:
        made["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": v6, "Ipv6CidrBlockState": {"State": "associated"}}]
    return made


def entry(
    number: int,
    action: str,
    protocol: str,
    cidr: str,
    low: int | None = None,
    high: int | None = None,
    *,
    out: bool = False,
) -> Json:
    """One network ACL entry; ports, or for ICMP type and code."""
    made: Json = {"RuleNumber": number, "RuleAction": action, "Protocol": protocol, "Egress": out}
    made["Ipv6CidrBlock" if ":" in cidr else "CidrBlock"] = cidr
    if low is not None:
        made |= (
            {"IcmpTypeCode": {"Type": low, "Code": high}}
            if protocol in ("1", "58")
            else {"PortRange": {"From": low, "To": high}}
        )
    return made


def acl(id_: str, subnets: tuple[str, ...], *entries: Json, default: bool = False, vpc: str = "vpc-1") -> Json:
    """One network ACL with the implicit denies that AWS lists."""
    last = [entry(32767, "deny", "-1", EVERYONE, out=out) for out in (False, True)]
    return {
        "NetworkAclId": id_,
        "VpcId": vpc,
        "IsDefault": default,
        "Entries": [*entries, *last],
        "Associations": [{"SubnetId": s, "NetworkAclId": id_} for s in subnets],
    }


OPEN = tuple(entry(100, "allow", "-1", EVERYONE, out=out) for out in (False, True))
OPEN6 = tuple(entry(101, "allow", "-1", EVERYONE6, out=out) for out in (False, True))


def route(destination: str, target: str, state: str = "active") -> Json:
    """One route; the target's prefix tells its attribute."""
    key = {
        "nat": "NatGatewayId",
        "pcx": "VpcPeeringConnectionId",
        "tgw": "TransitGatewayId",
        "eigw": "EgressOnlyInternetGatewayId",
        "eni": "NetworkInterfaceId",
    }.get(target.partition("-")[0], "GatewayId")
    where = "DestinationPrefixListId" if destination.startswith("pl-") else "DestinationCidrBlock"
    return {"DestinationIpv6CidrBlock" if ":" in destination else where: destination, key: target, "State": state}


def table(id_: str, *routes: Json, subnets: tuple[str, ...] = (), main: bool = False, vpc: str = "vpc-1") -> Json:
    """One route table."""
    associations: list[Json] = [{"SubnetId": s, "Main": False} for s in subnets]
    return {
        "RouteTableId": id_,
        "VpcId": vpc,
        "Routes": list(routes),
        "Associations": associations + ([{"Main": True}] if main else []),
    }


LOCAL = route("10.0.0.0/16", "local")


def peering(
    id_: str, one: str, other: str, status: str = "active", regions: tuple[str, str] = ("eu-west-1", "eu-west-1")
) -> Json:
    """One VPC peering."""
    return {
        "VpcPeeringConnectionId": id_,
        "RequesterVpcInfo": {"VpcId": one, "Region": regions[0]},
        "AccepterVpcInfo": {"VpcId": other, "Region": regions[1]},
        "Status": {"Code": status},
    }


def world(**kinds: list[Json] | None) -> Json:
    """The base world, with some kinds replaced, or (None) left out."""
    base: Json = {
        "Vpcs": [vpc("vpc-1", "10.0.0.0/16")],
        "Subnets": [subnet("subnet-a", "10.0.1.0/24"), subnet("subnet-b", "10.0.2.0/24")],
        "SecurityGroups": [group("sg-a"), group("sg-b")],
        "NetworkInterfaces": [interface("a", "10.0.1.10", "sg-a"), interface("b", "10.0.2.10", "sg-b")],
        "NetworkAcls": [acl("acl-0", ("subnet-a", "subnet-b"), *OPEN, default=True)],
        "RouteTables": [table("rtb-0", LOCAL, main=True)],
        "InternetGateways": [],
    }
    return {k: v for k, v in {**base, **kinds}.items() if v is not None}


def graph(data: Json, *more: Json) -> RuleGraph:
    """The rule graph of one or more dumps."""
    return graph_from_documents([Document(f"{n}.json", None, None, d) for n, d in enumerate((data, *more))])


def party(name: str) -> Party:
    """An interface by its short name or endpoint id, `internet`, or CIDRs."""
    if name == "internet":
        return Party("internet", addresses=PUBLIC)
    if "/" in name:
        return Party(name, addresses=parse_cidrs(*name.split(",")))
    return Party(name, endpoint=name if "." in name or "-" in name else f"eni-{name}")


def reach(graph: RuleGraph, source: str, destination: str, services: str = "any") -> Any:
    """What passes between two parties."""
    return between(graph, party(source), party(destination), parse(services))


def text(traffic: TrafficSet) -> list[str]:
    """The traffic as lines, `10.0.1.10/32 tcp/443`; symbolic places as `?`."""
    lines: list[str] = []
    for peers, services, source_ports in traffic.boxes():
        where = ",".join(cidrs(peers)) or "?"
        tail = "" if source_ports == IntervalSet.span(0, 65535) else f" from {source_ports!r}"
        lines += [f"{where} {s}{tail}" for s in render(services)]
    return sorted(lines)


def sure(graph: RuleGraph, source: str, destination: str, services: str = "any") -> list[str]:
    """What certainly passes."""
    return text(reach(graph, source, destination, services).allowed.must)


def exactly(graph: RuleGraph, source: str, destination: str, services: str = "any") -> list[str]:
    """What passes, where that is certain."""
    allowed = reach(graph, source, destination, services).allowed
    assert allowed.must == allowed.may, (text(allowed.must), text(allowed.may))
    return text(allowed.must)


def verdict(graph: RuleGraph, source: str, destination: str, services: str) -> str:
    """allowed, blocked, partial or undetermined."""
    return str(reach(graph, source, destination, services).verdict)
