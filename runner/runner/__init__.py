"""The `cj` command: run, watch and report comparative judgement batches from a terminal.

Scripts may use its parts: `runner.client.ApiClient` calls the REST API,
`runner.essays` reads folders, `runner.anchors_file` anchors, `runner.progress` shows a batch while
it runs and `runner.tables` its result.
"""

import os as _os

# The matrices of a class are small: threads of linear algebra would only wait for each other, and
# on a busy machine that made a batch four times as long. Whoever sets these keeps what is set.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    _os.environ.setdefault(_variable, "1")
