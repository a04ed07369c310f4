"""The `sitecustomize` of the test environment: every step says that it starts and that it ends.

Loaded by each Python process before anything else. What a step makes is known by its log. A fault
that the test has asked for is taken at the first start only.
"""

import atexit
import os
import sys
import time

file, words = os.environ.get("XSTILTS_STARTS"), sys.orig_argv
if file and "--log" in words and any(word.startswith("xstilts.") for word in words):
    node = words[words.index("--log") + 1].removeprefix("results/logs/").removesuffix(".log")
    about = [node, os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURMD_NODENAME", "")]
    about += [os.environ.get("CUDA_VISIBLE_DEVICES", ""), str(os.getpid())]

    def say(what):
        with open(file, "a") as out:
            out.write("\t".join([what, *about, f"{time.time():.3f}"]) + "\n")

    say("start")
    atexit.register(say, "end")
    fault = os.path.join(f"{file}.faults", node.replace("/", "+"))
    if os.path.exists(fault):
        with open(fault) as asked:
            kind = asked.read()
        os.unlink(fault)
        if kind == "fails":
            os._exit(1)
        if kind == "memory":
            hog = bytearray(2_500_000_000)
            hog[::4096] = b"x" * len(hog[::4096])
        # Until it is killed, by memory or by time, or the test lets it go on.
        while not os.path.exists(f"{fault}.over"):
            time.sleep(0.1)
