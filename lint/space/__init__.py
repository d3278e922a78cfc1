"""Pure algebra of traffic on integers: interval sets, addresses, services, traffic sets, bounds. No I/O, no clouds."""
