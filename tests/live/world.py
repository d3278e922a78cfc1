"""A small network in two regions and two accounts of the AWS on loopback, made with boto3."""

from __future__ import annotations

from typing import Any

import boto3

OTHER = "222222222222"
ROLE = "netpact-reader"
HUB = "123456789012"  # moto's own account
LISTS = 2


def session(region: str, account: str | None = None) -> Any:
    """A boto3 session, in another account where one is given."""
    own = boto3.Session("testing", "testing", region_name=region)
    if account is None:
        return own
    role = f"arn:aws:iam::{account}:role/{ROLE}"
    given = own.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=region)


def build(region: str, account: str | None = None, block: int = 10) -> dict[str, str]:
    """One VPC with subnets, groups, a network ACL, machines, a prefix list and gateways; the ids by name."""
    ec2 = session(region, account).client("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
    made = {"vpc": vpc}
    for number, name in enumerate(("a", "b")):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{block}.{number}.0/24", AvailabilityZone=f"{region}a")
        made[f"subnet-{name}"] = subnet["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=made["subnet-b"])
    made |= {"igw": gateway, "table": table}
    listed = ec2.create_managed_prefix_list(
        PrefixListName=f"partners-{region}",
        MaxEntries=5,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "198.51.100.0/24"}, {"Cidr": "203.0.113.0/24"}],
    )
    made["list"] = listed["PrefixList"]["PrefixListId"]
    for name in ("client", "server"):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        made[name] = group["GroupId"]
    tcp443 = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    ec2.authorize_security_group_ingress(
        GroupId=made["server"],
        IpPermissions=[
            {**tcp443, "UserIdGroupPairs": [{"GroupId": made["client"]}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": made["list"]}]},
        ],
    )
    ec2.authorize_security_group_ingress(
        GroupId=made["client"], IpPermissions=[{**tcp443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    )
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=egress, CidrBlock="0.0.0.0/0"
        )
    acls = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [made["subnet-b"]]}])
    association = next(
        a["NetworkAclAssociationId"]
        for a in acls["NetworkAcls"][0]["Associations"]
        if a["SubnetId"] == made["subnet-b"]
    )
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    made["acl"] = acl
    for name, subnet, group in (("client-1", "subnet-a", "client"), ("server-1", "subnet-b", "server")):
        interface = ec2.create_network_interface(
            SubnetId=made[subnet],
            Groups=[made[group]],
            PrivateIpAddress=f"10.{block}.{'ab'.index(subnet[-1])}.10",
        )["NetworkInterface"]["NetworkInterfaceId"]
        run = ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
            UserData="secret=hunter2",
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "Name", "Value": name}, {"Key": "Owner-Mail", "Value": "someone@example.com"}],
                }
            ],
        )
        made[name] = str(interface)
        made[f"i-{name}"] = run["Instances"][0]["InstanceId"]
    made |= _outward(ec2, made)
    made |= _balanced(session(region, account).client("elbv2"), made)
    return made


def _outward(ec2: Any, made: dict[str, str]) -> dict[str, str]:
    """Subnet a reaches the Internet by a NAT gateway in subnet b."""
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=made["subnet-b"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=made["vpc"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.associate_route_table(RouteTableId=table, SubnetId=made["subnet-a"])
    return {"nat": nat, "table-a": table}


def _balanced(elbv2: Any, made: dict[str, str]) -> dict[str, str]:
    """A network load balancer before the server, and an application one with a rule."""
    balancer = elbv2.create_load_balancer(Name="front", Type="network", Subnets=[made["subnet-b"]])["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="servers", Protocol="TCP", Port=443, VpcId=made["vpc"], TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": made["i-server-1"], "Port": 443}])
    arn = balancer["LoadBalancerArn"]
    elbv2.create_listener(
        LoadBalancerArn=arn, Protocol="TCP", Port=443, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )
    web = elbv2.create_load_balancer(Name="web", Subnets=[made["subnet-a"], made["subnet-b"]])["LoadBalancers"][0]
    listener = elbv2.create_listener(
        LoadBalancerArn=web["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return {"balancer": arn, "targets": group, "web": web["LoadBalancerArn"], "listener": listener}


def peer(first: dict[str, str], region: str, second: dict[str, str], other: str) -> str:
    """Peer two VPCs of the hub's account in two regions."""
    asked = (
        session(region)
        .client("ec2")
        .create_vpc_peering_connection(VpcId=first["vpc"], PeerVpcId=second["vpc"], PeerRegion=other)
    )
    id_ = asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    there = session(other).client("ec2")
    there.accept_vpc_peering_connection(VpcPeeringConnectionId=id_)
    for ec2, table, block in ((session(region).client("ec2"), first, 20), (there, second, 10)):
        ec2.create_route(
            RouteTableId=table["table-a"], DestinationCidrBlock=f"10.{block}.0.0/16", VpcPeeringConnectionId=id_
        )
    return str(id_)
