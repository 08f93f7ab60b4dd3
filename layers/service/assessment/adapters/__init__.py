"""The outside world: AWS, HTTP and the scoring layer behind the ports."""
