"""The `cj` command: run, watch and report comparative judgement batches from a terminal.

The parts it is made of serve scripts too: `runner.client.ApiClient` speaks to the REST API,
`runner.essays` reads folders, `runner.anchors_file` anchors, `runner.progress` shows a batch while
it runs and `runner.tables` its result.
"""
