"""Step: claim several GPUs for a command, which starts a process for each.

python -m xstilts.steps.claim_gpus 4 torchrun ...
"""

import os
import sys

from xstilts.running.errors import UserError
from xstilts.running.gpus import CLAIMED, claim, held

if __name__ == "__main__":
    try:
        claim(lambda: 0, wanted=int(sys.argv[1]))
    except UserError as error:
        sys.exit(f"error: {error}")
    for claimed in held.values():
        os.set_inheritable(claimed, True)  # the lock is this process's, whatever it becomes
    os.execvpe(sys.argv[2], sys.argv[2:], os.environ | {CLAIMED: "1"})
