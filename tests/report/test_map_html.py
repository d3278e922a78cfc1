"""The map as a page: what it shows, and that nothing in a source can make it do anything else."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from lint.graph.graph import RuleGraph
from lint.reach.atlas import map_all
from lint.report.map_html import render_html
from tests.reach.build import graph, machine, network, route, rule, security_group, subnet, table

HOSTILE = "<script>alert(1)</script>\" onload='x' \x1b[31m \u202e"


class _Reader(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.depth: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag


def world(name: str = "web") -> RuleGraph:
    inside = subnet("subnet-1", "10.0.1.0/24", table="rtb-1")
    web = machine("i-web", "10.0.1.10", groups=["sg-web"], subnet=inside, public="203.0.113.80")
    return graph(
        network("vpc-1", "10.0.0.0/16"),
        inside,
        table("rtb-1", route("10.0.0.0/16", "local"), route("0.0.0.0/0", "internet", "igw-1")),
        security_group("sg-web", rule("in", "tcp/443", "0.0.0.0/0"), rule("out", "tcp/5432", "sg-db")),
        security_group("sg-db", rule("in", "tcp/5432", "sg-web")),
        replace(web, name=name),
        machine("i-db", "10.0.1.20", groups=["sg-db"], subnet=inside),
    )


def page(source: RuleGraph) -> str:
    return render_html(map_all(source))


def section(text: str, title: str) -> str:
    found = re.search(rf"<h2>{title}</h2>(.*?)(<h2>|</body>)", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_internet_comes_first() -> None:
    text = page(world())
    assert text.index("From the Internet") < text.index("Among each other")
    assert "i-web" in section(text, "From the Internet")
    assert "tcp/443" in section(text, "From the Internet")
    assert "i-db" not in section(text, "From the Internet")


def test_who_reaches_whom_with_what() -> None:
    inside = section(page(world()), "Among each other")
    assert all(part in inside for part in ("i-db", "i-web", "tcp/5432"))


def test_every_endpoint_is_listed_with_its_addresses() -> None:
    listed = section(page(world()), "Endpoints")
    assert "10.0.1.10" in listed
    assert "10.0.1.20" in listed


def test_the_page_is_whole_without_scripts_and_fetches_nothing() -> None:
    text = page(world(HOSTILE))
    reader = _Reader()
    reader.feed(text)
    assert reader.depth == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name in ("src", "href") or name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_a_hostile_name_is_text() -> None:
    text = page(world(HOSTILE))
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text


def test_a_matrix_is_shown_where_it_can_be_read() -> None:
    peers = security_group("sg-all", rule("in", "tcp/22", "sg-all"), rule("out", "any", "0.0.0.0/0"))
    jump = security_group("sg-jump", rule("in", "tcp/22", "sg-all"), rule("out", "any", "10.0.0.0/8"))
    few = graph(
        peers, jump, machine("i-1", "10.0.0.1", groups=["sg-all"]), machine("i-2", "10.0.0.2", groups=["sg-all"])
    )
    few = replace(few, endpoints={**few.endpoints, "i-3": machine("i-3", "10.0.0.3", groups=["sg-jump"])})
    assert "<h2>Matrix</h2>" in page(few)
    groups = [
        security_group(
            f"sg-{n}", rule("in", "tcp/22", "10.0.0.0/8"), rule("out", "any", "::/0"), rule("out", "any", "10.0.0.0/8")
        )
        for n in range(30)
    ]
    many = graph(*groups, *(machine(f"i-{n}", f"10.0.0.{n + 1}", groups=[f"sg-{n}"]) for n in range(30)))
    assert "<h2>Matrix</h2>" not in page(many)


def test_an_empty_source_is_said() -> None:
    text = page(graph())
    assert "0 endpoints" in text
    assert "The source has none." in text
