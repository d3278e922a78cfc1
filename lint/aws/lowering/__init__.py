"""The parts of `lint.aws.lower`: each lowers one kind of thing."""
