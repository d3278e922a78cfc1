"""What can reach what: composes the filters and routes of a path and explains each hop. Knows no cloud."""
