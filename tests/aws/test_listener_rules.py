"""Rules of application load balancers: which target groups get requests, from Terraform and from raw answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lint.graph.graph import RuleGraph
from lint.reach.trace import trace
from lint.space.services import parse
from tests.aws import hcl
from tests.aws.world import EVERYONE, LOCAL, graph, group, interface, permit, route, table, world

PREFIX = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
BALANCER = f"{PREFIX}:loadbalancer/app/front/50dc6c495c0c9188"
LISTENER = f"{PREFIX}:listener/app/front/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = LISTENER.replace(":listener/", ":listener-rule/") + "/9683b2d02a6cabee"
IGW = {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}

TERRAFORM = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_security_group" "front" {
  vpc_id = aws_vpc.main.id
  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "back" {
  vpc_id = aws_vpc.main.id
  ingress {
    protocol        = "tcp"
    from_port       = 8080
    to_port         = 8080
    security_groups = [aws_security_group.front.id]
  }
}
resource "aws_instance" "this" {
  for_each               = toset(["web", "api"])
  subnet_id              = aws_subnet.a.id
  vpc_security_group_ids = [aws_security_group.back.id]
}
resource "aws_lb" "front" {
  subnets         = [aws_subnet.a.id]
  security_groups = [aws_security_group.front.id]
}
resource "aws_lb_target_group" "this" {
  for_each = toset(["web", "api"])
  port     = 8080
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}
resource "aws_lb_target_group_attachment" "this" {
  for_each         = toset(["web", "api"])
  target_group_arn = aws_lb_target_group.this[each.key].arn
  target_id        = aws_instance.this[each.key].id
}
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.front.arn
  port              = 443
  protocol          = "HTTPS"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["web"].arn
  }
}
"""
HOST = """
  condition {
    host_header { values = ["api.example.com"] }
  }
"""
FORWARD = """
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["api"].arn
  }
"""
WEIGHTED = """
  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.this["api"].arn
        weight = WEIGHT
      }
      target_group { arn = aws_lb_target_group.this["web"].arn }
    }
  }
"""
SIGN_IN = """
  action {
    type = "authenticate-cognito"
    order = 1
  }
"""
SOURCE = """
  condition {
    source_ip { values = ["203.0.113.0/24"] }
  }
"""


def rule_of(body: str, listener: str = "aws_lb_listener.https.arn") -> str:
    return f'resource "aws_lb_listener_rule" "api" {{\n  listener_arn = {listener}\n{body}}}\n'


def forwarded(made: RuleGraph) -> dict[str, tuple[int, int]]:
    """How many conditions each target has, and whether any doubt; of several ways the best."""
    found: dict[str, tuple[int, int]] = {}
    for one in made.forwardings:
        for target in one.targets:
            mine = (len(one.conditions), int(bool(one.reasons)))
            found[target] = min(mine, found.get(target, mine))
    return found


WEB, API = 'aws_instance.this["web"]', 'aws_instance.this["api"]'


EITHER = """
variable "n" {}
resource "aws_lb_listener" "other" {
  load_balancer_arn = aws_lb.front.arn
  port              = 8443
  protocol          = "HTTPS"
  default_action { type = "fixed-response" }
}
"""
UNSURE = {WEB: (1, 0), API: (1, 1)}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", {WEB: (0, 0)}),
        (rule_of(HOST + FORWARD), {WEB: (1, 0), API: (1, 0)}),
        (rule_of(SOURCE + FORWARD), {WEB: (1, 0), API: (0, 1)}),
        (rule_of(HOST + SIGN_IN + FORWARD), {WEB: (1, 0), API: (1, 1)}),
        (rule_of(HOST + WEIGHTED.replace("WEIGHT", "10")), {WEB: (1, 0), API: (1, 0)}),
        (rule_of(HOST + WEIGHTED.replace("WEIGHT", "0")), {WEB: (1, 0)}),
        ('variable "n" {}\n' + rule_of("  count = var.n\n" + HOST + FORWARD), {WEB: (1, 0), API: (1, 1)}),
        (EITHER + rule_of(HOST + FORWARD, "var.n > 1 ? aws_lb_listener.https.arn : aws_lb_listener.other.arn"), UNSURE),
        (EITHER + rule_of(HOST + FORWARD.replace('this["api"].arn', 'this[var.n > 1 ? "api" : "web"].arn')), UNSURE),
        (rule_of(HOST + 'action { type = "fixed-response" }\n'), {WEB: (1, 0)}),
    ],
)
def test_each_target_group_that_a_rule_names_may_get_requests(
    tmp_path: Path, rule: str, expected: dict[str, tuple[int, int]]
) -> None:
    assert forwarded(hcl.graph(tmp_path, TERRAFORM + rule)) == expected


def test_the_way_to_a_group_that_a_rule_names_is_shown_with_its_condition(tmp_path: Path) -> None:
    made = hcl.graph(tmp_path, TERRAFORM + rule_of(HOST + FORWARD))
    found = trace(made, "internet", API, parse("tcp/8080"))
    (path,) = [path for path in found.reach.paths if any(hop.layer == "load_balancer" for hop in path.hops)]
    assert path.verdict == "undetermined"
    assert any("host-header api.example.com" in hop.sentence for hop in path.hops)
    assert found.reach.allowed.may


def answers(*rules: dict[str, Any], wrapped: bool | None = True, kind: str = "application") -> RuleGraph:
    """A balancer whose listener's default action leads to web; `api` belongs to it as well."""
    arns = {name: f"{PREFIX}:targetgroup/{name}/73e2d6bc24d8a067" for name in ("web", "api")}
    held: dict[str, Any] = {}
    if wrapped:
        held["LoadBalancerListenerRules"] = [{"ListenerArn": LISTENER, "Rules": list(rules)}]
    elif wrapped is False:
        held["Rules"] = list(rules)
    return graph(
        world(
            SecurityGroups=[
                group("sg-n", permit("tcp", 443, 443, EVERYONE)),
                group("sg-b", permit("tcp", 8080, 8080, "sg-n")),
            ],
            NetworkInterfaces=[
                interface(
                    "n", "10.0.1.50", "sg-n", public="198.51.100.50", Description="ELB app/front/50dc6c495c0c9188"
                ),
                interface("web", "10.0.2.10", "sg-b", Attachment={"InstanceId": "i-web"}),
                interface("api", "10.0.2.11", "sg-b", Attachment={"InstanceId": "i-api"}),
            ],
            RouteTables=[table("rtb-0", LOCAL, route(EVERYONE, "igw-1"), main=True)],
            InternetGateways=[IGW],
            LoadBalancers=[{"LoadBalancerArn": BALANCER, "LoadBalancerName": "front", "Type": kind}],
            LoadBalancerListeners=[
                {
                    "LoadBalancerArn": BALANCER,
                    "Listeners": [
                        {
                            "ListenerArn": LISTENER,
                            "Protocol": "HTTPS",
                            "Port": 443,
                            "DefaultActions": [{"Type": "forward", "TargetGroupArn": arns["web"]}],
                        }
                    ],
                }
            ],
            TargetGroups=[
                {
                    "TargetGroupArn": arn,
                    "TargetGroupName": name,
                    "Protocol": "HTTP",
                    "Port": 8080,
                    "TargetType": "instance",
                    "LoadBalancerArns": [BALANCER],
                }
                for name, arn in arns.items()
            ],
            LoadBalancerTargetHealth=[
                {"TargetGroupArn": arn, "TargetHealthDescriptions": [{"Target": {"Id": f"i-{name}", "Port": 8080}}]}
                for name, arn in arns.items()
            ],
            **held,
        )
    )


DEFAULT = {"RuleArn": RULE[:-1] + "0", "Priority": "default", "IsDefault": True, "Conditions": [], "Actions": []}
TO_API = {
    "RuleArn": RULE,
    "Priority": "10",
    "IsDefault": False,
    "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
    "Actions": [{"Type": "forward", "TargetGroupArn": f"{PREFIX}:targetgroup/api/73e2d6bc24d8a067"}],
}


@pytest.mark.parametrize("wrapped", [True, False])
def test_rules_are_found_by_their_listener_or_by_their_own_arn(wrapped: bool) -> None:
    made = answers(DEFAULT, TO_API, wrapped=wrapped)
    assert forwarded(made) == {"eni-web": (1, 0), "eni-api": (1, 0)}
    texts = {reason.text for one in made.forwardings for reason in one.conditions}
    assert any("rule 10" in text and "path-pattern /api/*" in text for text in texts)


def test_the_default_rule_is_the_default_action_again() -> None:
    assert forwarded(answers(DEFAULT)) == {"eni-web": (0, 0)}


def test_rules_that_are_not_in_the_source_may_lead_to_every_group_of_the_balancer() -> None:
    made = answers(wrapped=None)
    assert forwarded(made) == {"eni-web": (1, 0), "eni-api": (0, 1)}
    assert "describe-rules" in next(r.sentence() for one in made.forwardings for r in one.reasons)
    assert forwarded(answers(wrapped=None, kind="network")) == {"eni-web": (0, 0)}, "which has no such rules"


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Env", "Values": ["test"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
        {"Field": "host-header", "Values": ["old.example.com"]},
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/api"]}},
        {"Field": None, "PathPatternConfig": "x"},
    ],
)
def test_conditions_of_every_kind_are_said(condition: dict[str, Any]) -> None:
    made = answers({**TO_API, "Conditions": [condition]})
    texts = {reason.text for one in made.forwardings for reason in one.conditions if "eni-api" in one.targets}
    values = [
        v for c in condition.values() if isinstance(c, dict) for v in (*c.get("Values", []), *c.get("RegexValues", []))
    ]
    for value in (v for v in values if isinstance(v, str)):
        assert any(value in text for text in texts)
    assert texts


INNER = """
resource "aws_lb" "outer" {
  load_balancer_type = "network"
  subnets            = [aws_subnet.a.id]
}
resource "aws_lb_target_group" "inner" {
  target_type = "alb"
  port        = 443
  protocol    = "TCP"
  vpc_id      = aws_vpc.main.id
}
resource "aws_lb_target_group_attachment" "inner" {
  target_group_arn = aws_lb_target_group.inner.arn
  target_id        = aws_lb.front.arn
}
resource "aws_lb_listener" "outer" {
  load_balancer_arn = aws_lb.outer.arn
  port              = 8443
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.inner.arn
  }
}
"""


def test_an_application_load_balancer_may_stand_behind_a_network_one(tmp_path: Path) -> None:
    made = hcl.graph(tmp_path, TERRAFORM + INNER)
    (outer,) = [one for one in made.forwardings if one.balancer == "aws_lb.outer"]
    assert outer.targets == ("aws_lb.front",)
    assert outer.preserves_client is None and outer.reasons


def test_every_interface_of_a_balancer_is_the_target_that_it_is() -> None:
    arn = f"{PREFIX}:targetgroup/inner/73e2d6bc24d8a067"
    net = f"{PREFIX}:loadbalancer/net/outer/60dc6c495c0c9188"
    made = graph(
        world(
            NetworkInterfaces=[
                interface("n1", "10.0.1.50", "sg-a", Description="ELB app/front/50dc6c495c0c9188"),
                interface("n2", "10.0.2.50", "sg-a", subnet="subnet-b", Description="ELB app/front/50dc6c495c0c9188"),
                interface("o", "10.0.1.60", Description="ELB net/outer/60dc6c495c0c9188"),
            ],
            LoadBalancers=[
                {"LoadBalancerArn": BALANCER, "LoadBalancerName": "front", "Type": "application"},
                {"LoadBalancerArn": net, "LoadBalancerName": "outer", "Type": "network"},
            ],
            LoadBalancerListeners=[
                {
                    "LoadBalancerArn": net,
                    "Listeners": [
                        {
                            "ListenerArn": f"{net}/1",
                            "Protocol": "TCP",
                            "Port": 443,
                            "DefaultActions": [{"Type": "forward", "TargetGroupArn": arn}],
                        }
                    ],
                }
            ],
            TargetGroups=[{"TargetGroupArn": arn, "Protocol": "TCP", "Port": 443, "TargetType": "alb"}],
            LoadBalancerTargetHealth=[
                {"TargetGroupArn": arn, "TargetHealthDescriptions": [{"Target": {"Id": BALANCER, "Port": 443}}]}
            ],
        )
    )
    (outer,) = made.forwardings
    assert (outer.balancer, sorted(outer.targets)) == ("eni-o", ["eni-n1", "eni-n2"])


def applied(type_: str, name: str, **values: Any) -> dict[str, Any]:
    """A resource as a state shows it."""
    provider = "registry.terraform.io/hashicorp/aws"
    shown = {"address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name, "provider_name": provider}
    return {**shown, "schema_version": 0, "values": values}


def test_a_state_shows_unused_blocks_as_empty_lists() -> None:
    groups = {name: f"{PREFIX}:targetgroup/{name}/1" for name in ("web", "api")}
    forward = {"stickiness": [], "target_group": [{"arn": groups["api"], "weight": 1}]}
    resources = [
        applied("aws_lb", "l", id=BALANCER, arn=BALANCER, load_balancer_type="application", subnets=["subnet-1"]),
        applied(
            "aws_lb_listener",
            "x",
            id=LISTENER,
            arn=LISTENER,
            load_balancer_arn=BALANCER,
            port=443,
            protocol="HTTPS",
            default_action=[{"type": "forward", "target_group_arn": groups["web"], "forward": []}],
        ),
        applied(
            "aws_lb_listener_rule",
            "x",
            id=RULE,
            arn=RULE,
            listener_arn=LISTENER,
            action=[{"type": "forward", "target_group_arn": "", "forward": [forward]}],
            condition=[
                {"host_header": [{"values": ["api.example.com"]}], "path_pattern": [], "query_string": []},
                {"host_header": [], "path_pattern": [], "query_string": [{"key": "v", "value": "1"}]},
            ],
        ),
    ]
    for number, (name, arn) in enumerate(groups.items(), 1):
        machine = {"id": f"i-{number}", "private_ip": f"10.0.1.{number}", "subnet_id": "subnet-1"}
        resources += [
            applied("aws_instance", name, vpc_security_group_ids=[], **machine),
            applied("aws_lb_target_group", name, id=arn, arn=arn, port=80, protocol="HTTP", target_type="instance"),
            applied("aws_lb_target_group_attachment", name, id=name, target_group_arn=arn, target_id=machine["id"]),
        ]
    made = hcl.applied(
        {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {"resources": resources}}}
    )
    assert forwarded(made) == {"aws_instance.web": (1, 0), "aws_instance.api": (1, 0)}
    (reason,) = [one.conditions[0].text for one in made.forwardings if "aws_instance.api" in one.targets]
    assert reason.endswith("forwards only requests with host-header api.example.com and query-string v=1")
