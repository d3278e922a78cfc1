"""Turns a violated finding into edits or commands, and proves them before they are shown."""
