"""In-memory ports that behave like the real ones, and a small driver of the whole loop."""

import os

# Every worker of a parallel run would start a thread of linear algebra for each core, and they
# would wait for each other. Lambda functions have one thread too. numpy reads this when it is
# imported, which tests/conftest.py does by the modules here.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
