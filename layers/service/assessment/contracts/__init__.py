"""What crosses the border: judge protocol, requests, steps, events, results and schemas."""
