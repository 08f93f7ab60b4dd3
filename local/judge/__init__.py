"""The sample judge: its answers, its faults, and its HTTP endpoint."""
