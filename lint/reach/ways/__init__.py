"""Ways: where routes, gateways, peerings and hubs take a packet, judged without the filters of its two ends.

Knows no rules.
"""

from lint.reach.ways.private import other_side, private_ways
from lint.reach.ways.public import public_way_in, public_ways_out
from lint.reach.ways.way import Mark, Way, place_text, same_subnet, straight

__all__ = [
    "Mark",
    "Way",
    "other_side",
    "place_text",
    "private_ways",
    "public_way_in",
    "public_ways_out",
    "same_subnet",
    "straight",
]
