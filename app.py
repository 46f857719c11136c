"""The CDK app: ``cdk deploy -c environment=prod --all``, or ``-c branch=<git branch>``.

It reads ``cdk.json`` and ``transforms/`` of the current folder. Run without the CDK command line
(``python app.py -c environment=prod``) it writes the templates to ``cdk.out/``, or to ``CDK_OUTDIR``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dapflow.errors import DapflowError
from stacks.synthesis import context_of_arguments, synthesize


def main(arguments: list[str]) -> int:
    """Synthesize what is asked for. A mistake in what people wrote is printed without a traceback."""
    try:
        context = context_of_arguments(arguments)
        synthesize(Path.cwd(), output=os.environ.get("CDK_OUTDIR", "cdk.out"), context=context)
    except DapflowError as error:
        print(error, file=sys.stderr)
        return 1
    except RuntimeError as error:
        # The CDK has printed what its rules found; its stack trace says nothing more.
        if "ValidationFailed" not in str(error):
            raise
        print("The templates break a rule; see the report above.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
