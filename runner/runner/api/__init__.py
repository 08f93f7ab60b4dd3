"""The REST API as typed calls, a module for each kind of resource."""
