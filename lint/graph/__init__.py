"""The rule graph: what every source and every cloud is lowered to. Knows no cloud and no file format."""
