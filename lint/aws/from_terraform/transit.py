"""Transit gateways of Terraform, with the route tables that they make of themselves.

Source: the AWS provider's documentation of aws_ec2_transit_gateway and its attachments, tables, associations and
propagations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lint.aws.from_terraform import facts
from lint.aws.from_terraform.groups import Groups
from lint.aws.from_terraform.index import Index, Node
from lint.aws.from_terraform.network import SUBNET_TYPES, VPC_TYPES
from lint.aws.from_terraform.places import display_name
from lint.aws.model import network as aws
from lint.aws.model.links import NOWHERE, Link
from lint.origin import Reason
from lint.space.addresses import REAL, parse_cidr
from lint.space.intervals import EMPTY
from lint.terraform.values import Value, is_known, unknown_reasons

_ATTACHMENTS = ("aws_ec2_transit_gateway_vpc_attachment", "aws_ec2_transit_gateway_peering_attachment")
_DEFAULTS = ("association_default_route_table_id", "propagation_default_route_table_id")


@dataclass(slots=True)
class Transit:
    """All transit gateways, while they are being read."""

    index: Index
    groups: Groups
    gateways: dict[str, aws.TransitGateway] = field(default_factory=dict)
    attachments: dict[str, aws.TransitGatewayAttachment] = field(default_factory=dict)
    tables: dict[str, aws.TransitGatewayTable] = field(default_factory=dict)

    def read(self) -> None:
        """Reads gateways and tables, then what is attached, associated and propagated."""
        for node in self.index.of_type("aws_ec2_transit_gateway"):
            support = facts.text(node.resource.values.get("security_group_referencing_support"))
            unknown = facts.is_set(node.resource.values.get("security_group_referencing_support")) and support is None
            self.gateways[node.id] = aws.TransitGateway(
                id=node.id,
                name=display_name(node.resource),
                origin=node.resource.origin,
                group_references=None if unknown else support == "enable",
            )
            if any(self._enabled(node, f"default_route_table_{what}") for what in ("association", "propagation")):
                id_ = _default_table(node.id)
                self.tables[id_] = aws.TransitGatewayTable(
                    id_, f"default route table of {node.id}", Link(node.id), (), node.resource.origin
                )
        for node in self.index.of_type("aws_ec2_transit_gateway_route_table"):
            gateway = self.index.link(node, node.resource.values.get("transit_gateway_id"))
            self.tables[node.id] = aws.TransitGatewayTable(
                node.id, display_name(node.resource), gateway, (), node.resource.origin
            )
        for node in self.index.of_type(*_ATTACHMENTS):
            self._attach(node)
        self._associate()
        self._propagate()
        self._routes()

    def _enabled(self, node: Node, attribute: str) -> bool:
        return (facts.text(node.resource.values.get(attribute)) or "enable") == "enable"

    def _attach(self, node: Node) -> None:
        values = node.resource.values
        gateway = self.index.link(node, values.get("transit_gateway_id"))
        owner = next((n for n in self.index.of_type("aws_ec2_transit_gateway") if n.id == gateway.id), None)
        vpc = node.type == "aws_ec2_transit_gateway_vpc_attachment"
        table = NOWHERE
        if owner is not None and vpc:
            own = facts.truth(values.get("transit_gateway_default_route_table_association"), True)
            if own is not False and self._enabled(owner, "default_route_table_association"):
                table = Link(_default_table(owner.id))
            learns = facts.truth(values.get("transit_gateway_default_route_table_propagation"), True)
            if learns is not False and self._enabled(owner, "default_route_table_propagation"):
                self._learn(_default_table(owner.id), node.id)
        support = facts.text(values.get("security_group_referencing_support"))
        peer = self.index.link(node, values.get("peer_transit_gateway_id"))
        self.attachments[node.id] = aws.TransitGatewayAttachment(
            id=node.id,
            kind="vpc" if vpc else "peering",
            gateway=gateway,
            resource=self.index.link(node, values.get("vpc_id"), *VPC_TYPES) if vpc else peer,
            subnets=tuple(self.index.link(node, v, *SUBNET_TYPES) for v in facts.members(values.get("subnet_ids"))[0]),
            origin=node.resource.origin,
            table=table,
            available=True if node.resource.exists else None,
            group_references=support != "disable",
            peer_gateway=None if vpc else peer.id,
            reasons=node.resource.reasons,
        )

    def _learn(self, table: str, attachment: str) -> None:
        known = self.tables.get(table)
        if known is not None and attachment not in known.propagating:
            self.tables[table] = replace(known, propagating=(*known.propagating, attachment))

    def _table(self, node: Node, value: Value | None) -> Link:
        """The table that a value names; a gateway's default one by either of its two attributes."""
        found, complete, reasons = self.index.find(node.root, value)
        ids = tuple(
            _default_table(each.node.id)
            if each.node is not None and each.path and each.path[-1] in _DEFAULTS
            else each.node.id
            if each.node is not None
            else each.text
            for each in found
        )
        return Link(ids[0]) if complete and len(ids) == 1 else Link(None, reasons, ids if complete else None)

    def _associate(self) -> None:
        for node in self.index.of_type("aws_ec2_transit_gateway_route_table_association"):
            values = node.resource.values
            attachment = self.index.link(node, values.get("transit_gateway_attachment_id"))
            table = self._table(node, values.get("transit_gateway_route_table_id"))
            for id_ in attachment.possible:
                known = self.attachments.get(id_)
                if known is not None:
                    sure = attachment.id is not None and node.resource.exists
                    self.attachments[id_] = replace(
                        known, table=table if sure else Link(None, (*attachment.reasons, *node.resource.reasons))
                    )

    def _propagate(self) -> None:
        for node in self.index.of_type("aws_ec2_transit_gateway_route_table_propagation"):
            values = node.resource.values
            attachment = self.index.link(node, values.get("transit_gateway_attachment_id"))
            table = self._table(node, values.get("transit_gateway_route_table_id"))
            if attachment.id is not None and table.id is not None and node.resource.exists:
                self._learn(table.id, attachment.id)
                continue
            why = (*attachment.reasons, *table.reasons, *node.resource.reasons)
            self._open(table, why)

    def _open(self, table: Link, reasons: tuple[Reason, ...]) -> None:
        for id_ in table.possible or tuple(self.tables):
            known = self.tables.get(id_)
            if known is not None:
                self.tables[id_] = replace(known, open=tuple(dict.fromkeys((*known.open, *reasons))))

    def _routes(self) -> None:
        for kind in ("aws_ec2_transit_gateway_route", "aws_ec2_transit_gateway_prefix_list_reference"):
            for node in self.index.of_type(kind):
                values = node.resource.values
                table = self._table(node, values.get("transit_gateway_route_table_id"))
                if table.id is None or table.id not in self.tables:
                    self._open(table, table.reasons)
                    continue
                known = self.tables[table.id]
                self.tables[table.id] = replace(known, routes=(*known.routes, self._route(node)))

    def _route(self, node: Node) -> aws.Route:
        values = node.resource.values
        attachment = self.index.link(node, values.get("transit_gateway_attachment_id"))
        blackhole = facts.truth(values.get("blackhole"), False)
        written = facts.text(values.get("destination_cidr_block"))
        listed = None
        given = values.get("prefix_list_id")
        if given is not None and facts.is_set(given):
            listed = self.groups.list_named(node, given)
        destinations, may = EMPTY, None
        reasons: list[Reason] = [*attachment.reasons, *node.resource.reasons]
        try:
            destinations = parse_cidr(written) if written else EMPTY
        except ValueError:
            reasons.append(Reason(f'{node.id}: "{written}" is not a CIDR', origin=node.resource.origin))
        if not destinations and listed is None:
            may = REAL
            wanted = values.get("destination_cidr_block")
            reasons += unknown_reasons(wanted) if wanted is not None and not is_known(wanted) else ()
        kind = aws.TRANSIT_GATEWAY if attachment.id is not None else aws.UNDETERMINED
        return aws.Route(
            destinations=destinations,
            destinations_may=may,
            kind=aws.BLACKHOLE if blackhole else kind,
            text=written or listed or "an unknown destination",
            origin=node.resource.origin,
            target=attachment.id,
            prefix_list=listed,
            exists=node.resource.exists,
            reasons=tuple(dict.fromkeys(reasons)),
        )


def _default_table(gateway: str) -> str:
    return f"{gateway}.association_default_route_table_id"
