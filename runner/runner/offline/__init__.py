"""What `cj` does in its own process, with the service's adapters and no stack.

The only package here that imports use cases and adapters.
"""
