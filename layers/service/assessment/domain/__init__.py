"""The rules of comparative judgement, without any I/O: the standard library and pydantic only."""
