"""The steps of lowering the Azure model to the rule graph, one noun a module."""
