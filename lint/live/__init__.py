"""Live collection: what the collectors of all clouds share.

Calls are made within limits, answers are kept as they arrive, and a finished scan is a sealed snapshot. Knows no
cloud: a collector says which calls there are, makes one request at a time, and reads the answers.
"""
