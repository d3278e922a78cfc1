"""Load balancers: a frontend passes what its backends' NSGs pass, in the frontend's own ports."""

from __future__ import annotations

from typing import Any

import pytest

from lint.space.addresses import PUBLIC, parse_cidr
from lint.space.services import parse
from lint.verdict.asking import Asking


def balance(
    landscape: Any, *rules: tuple[str, int, int], backends: tuple[str, ...] = ("B",), private: str = ""
) -> None:
    """A balancer `lb` with load balancing rules (protocol, frontend port, backend port) to all backends."""
    front: dict[str, Any] = {}
    base = landscape.put("loadBalancers", "lb", {}, sku={"name": "Standard"})["id"]
    if private:
        subnet = landscape.resources["networkInterfaces/C"]["properties"]["ipConfigurations"][0]["properties"]["subnet"]
        front = {"privateIPAddress": private, "subnet": subnet}
    else:
        front = {"publicIPAddress": {"id": landscape.public("lb-ip", "203.0.113.88")["id"]}}
    landscape.resources["loadBalancers/lb"]["properties"] = {
        "frontendIPConfigurations": [{"name": "f", "id": f"{base}/frontendIPConfigurations/f", "properties": front}],
        "backendAddressPools": [{"name": "p", "id": f"{base}/backendAddressPools/p", "properties": {}}],
        "loadBalancingRules": [
            {
                "name": f"rule-{port}",
                "id": f"{base}/loadBalancingRules/rule-{port}",
                "properties": {
                    "frontendIPConfiguration": {"id": f"{base}/frontendIPConfigurations/f"},
                    "backendAddressPool": {"id": f"{base}/backendAddressPools/p"},
                    "protocol": protocol,
                    "frontendPort": port,
                    "backendPort": behind,
                },
            }
            for protocol, port, behind in rules
        ],
    }
    for name in backends:
        configuration = landscape.resources[f"networkInterfaces/{name}"]["properties"]["ipConfigurations"][0]
        configuration["properties"]["loadBalancerBackendAddressPools"] = [{"id": f"{base}/backendAddressPools/p"}]


def test_ports_that_nothing_listens_to_are_closed(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443), ("Udp", 53, 5353))
    landscape.nsg("N", "In 100 Allow * Internet -> *", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("X", "lb", "tcp/443") == "allowed"
    assert ask.verdict("X", "lb", "udp/53") == "allowed"
    assert ask.verdict("X", "lb", "tcp/53") == "blocked"
    assert ask.verdict("X", "lb", "tcp/8443") == "blocked"


def test_high_availability_ports_keep_the_port(landscape: Any, judge: Any) -> None:
    balance(landscape, ("All", 0, 0))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:1000-2000", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("X", "lb", "tcp/1500") == "allowed"
    assert ask.verdict("X", "lb", "tcp/2001") == "blocked"


def test_both_nsgs_of_a_backend_must_allow(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443), ("Tcp", 80, 8080))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:8000-9000", at=["V1/S1"])
    landscape.nsg("NB", "In 100 Allow Tcp Internet -> 10.0.1.5:8443", at=["B"])
    ask = judge(landscape)
    assert ask.verdict("X", "lb", "tcp/443") == "allowed"
    assert ask.verdict("X", "lb", "tcp/80") == "blocked"


def test_a_backend_without_any_nsg_is_closed_behind_a_standard_balancer(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443))
    assert judge(landscape).verdict("X", "lb", "tcp/443") == "blocked"


def test_a_rule_for_another_destination_says_nothing(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> 10.0.1.4:8443", at=["V1/S1"])
    assert judge(landscape).verdict("X", "lb", "tcp/443") == "blocked"


def test_backends_that_differ_are_judged_on_their_own(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443), backends=("B", "C"))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:8443", at=["V1/S1"])
    landscape.nsg("M", at=["V1/S2"])
    ask = judge(landscape)
    assert ask.verdict("X", "lb", "tcp/443") == "undetermined"
    assert "azure.lb.mixed-backends" in ask.codes("X", "lb", "tcp/443")


def test_the_reply_takes_the_routes_of_the_backends_subnet(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:8443", at=["V1/S1"])
    landscape.routes("R", "V1/S1", ("0.0.0.0/0", "None"))
    assert judge(landscape).verdict("X", "lb", "tcp/443") == "blocked"


def test_an_internal_frontend_takes_the_networks_traffic_alone(landscape: Any, judge: Any) -> None:
    balance(landscape, ("Tcp", 443, 8443), private="10.0.2.100")
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("A", "lb", "tcp/443") == "allowed"
    assert ask.verdict("A", "lb", "tcp/80") == "blocked"
    assert ask.verdict("X", "lb", "tcp/443") == "blocked"


def test_an_interface_whose_pools_are_not_known_leaves_the_balancer_open(terraform: Any, judge: Any) -> None:
    graph = terraform(
        """
        variable "pools" {}
        resource "azurerm_virtual_network" "v" {
          name                = "v1"
          resource_group_name = "rg"
          location            = "westeurope"
          address_space       = ["10.0.0.0/16"]
        }
        resource "azurerm_subnet" "s" {
          name                 = "s1"
          resource_group_name  = "rg"
          virtual_network_name = azurerm_virtual_network.v.name
          address_prefixes     = ["10.0.1.0/24"]
        }
        resource "azurerm_public_ip" "p" {
          name                = "p"
          resource_group_name = "rg"
          location            = "westeurope"
          allocation_method   = "Static"
          sku                 = "Standard"
        }
        resource "azurerm_lb" "lb" {
          name                = "lb"
          resource_group_name = "rg"
          location            = "westeurope"
          sku                 = "Standard"
          frontend_ip_configuration {
            name                 = "f"
            public_ip_address_id = azurerm_public_ip.p.id
          }
        }
        resource "azurerm_lb_backend_address_pool" "p" {
          name            = "p"
          loadbalancer_id = azurerm_lb.lb.id
        }
        resource "azurerm_lb_rule" "r" {
          name                           = "r"
          loadbalancer_id                = azurerm_lb.lb.id
          frontend_ip_configuration_name = "f"
          protocol                       = "Tcp"
          frontend_port                  = 443
          backend_port                   = 443
          backend_address_pool_ids       = [azurerm_lb_backend_address_pool.p.id]
        }
        resource "azurerm_linux_virtual_machine_scale_set" "web" {
          name                = "web"
          resource_group_name = "rg"
          location            = "westeurope"
          network_interface {
            name = "n"
            ip_configuration {
              name                                   = "ip"
              subnet_id                              = azurerm_subnet.s.id
              load_balancer_backend_address_pool_ids = var.pools
            }
          }
        }
        """
    )
    assert judge(graph).verdict("X", "azurerm_lb.lb", "tcp/443") == "undetermined"


@pytest.mark.parametrize("port", [None, "x", 70000])
def test_a_rule_without_a_usable_port_is_undetermined(landscape: Any, judge: Any, port: Any) -> None:
    balance(landscape, ("Tcp", port, 8443))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:8443", at=["V1/S1"])
    assert judge(landscape).verdict("X", "lb", "tcp/443") == "undetermined"


def test_a_balancers_rule_lends_its_backends_a_way_out(landscape: Any, judge: Any) -> None:
    landscape.subnet("V1/S1")["defaultOutboundAccess"] = False
    balance(landscape, ("Tcp", 443, 8443))
    landscape.nsg("N", at=["V1/S1"])
    ask = judge(landscape)
    assert ask.verdict("B", "X", "tcp/443") == "allowed"
    landscape.resources["loadBalancers/lb"]["properties"]["loadBalancingRules"][0]["properties"][
        "disableOutboundSnat"
    ] = True
    ask = judge(landscape)
    assert ask.verdict("B", "X", "tcp/443") == "blocked"
    assert "azure.egress.none" in ask.codes("B", "X", "tcp/443")


def test_what_a_balancer_passes_on_reaches_the_machine_behind_it(landscape: Any) -> None:
    balance(landscape, ("Tcp", 443, 22), ("Tcp", 80, 8080))
    landscape.nsg("N", "In 100 Allow Tcp 198.51.100.0/24 -> *:22", "In 110 Deny * * -> *", at=["V1/S1"])
    graph = landscape.graph()
    target = next(one for one in graph.endpoints.values() if one.name == "B")
    found = Asking(graph).inbound(target, parse("tcp/22"))
    senders = parse_cidr("198.51.100.0/24")
    assert senders <= found.allowed.must.peers()
    assert found.allowed.may.restrict(PUBLIC).peers() == senders
    assert found.allowed.may.services() == parse("tcp/22")
    assert {"rule-443", "in-100"} <= {rule.name for rule, _, _ in found.rules}
    assert not Asking(graph).inbound(target, parse("tcp/8080")).allowed.may
    landscape.nsg("N", "In 100 Deny * * -> *", at=["V1/S1"])
    closed = landscape.graph()
    assert not Asking(closed).inbound(closed.endpoints[target.id], parse("tcp/22")).allowed.may


def test_a_balancer_that_is_not_settled_leaves_open_what_it_passes_on(landscape: Any) -> None:
    balance(landscape, ("Tcp", 443, 22))
    landscape.nsg("N", "In 100 Allow Tcp Internet -> *:22", at=["V1/S1"])
    landscape.resources["loadBalancers/lb"]["properties"]["loadBalancingRules"][0]["properties"][
        "frontendIPConfiguration"
    ] = {}
    graph = landscape.graph()
    target = next(one for one in graph.endpoints.values() if one.name == "B")
    allowed = Asking(graph).inbound(target, parse("tcp/22")).allowed
    assert not allowed.must.restrict(PUBLIC)
    assert parse_cidr("198.51.100.0/24") <= allowed.may.peers()


def test_a_rule_of_a_balancer_that_is_not_known_may_belong_to_each(terraform: Any) -> None:
    text = """
    variable "balancer" {}
    resource "azurerm_lb" "lb" {
      name                = "lb"
      resource_group_name = "rg"
      location            = "westeurope"
    }
    resource "azurerm_lb_rule" "r" {
      name                           = "r"
      loadbalancer_id                = ID
      frontend_ip_configuration_name = "f"
      protocol                       = "Tcp"
      frontend_port                  = 443
      backend_port                   = 22
    }
    """
    assert not terraform(text.replace("ID", "azurerm_lb.lb.id")).incomplete
    (reason,) = terraform(text.replace("ID", "var.balancer")).incomplete
    assert "azurerm_lb_rule.r" in reason.text
