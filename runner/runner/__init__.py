"""The `cj` command: run, watch and report comparative judgement batches from a terminal.

Scripts may use its parts: `runner.client.ApiClient` calls the REST API,
`runner.essays` reads folders, `runner.anchors_file` anchors, `runner.progress` shows a batch while
it runs and `runner.tables` its result.
"""
