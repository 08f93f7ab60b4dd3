"""The routes of the REST API: parse to a model, call one use case, return a model."""
