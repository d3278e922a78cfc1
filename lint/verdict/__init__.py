"""From a rule graph, packs and a project to findings: binds roles, decides flows, applies waivers."""
