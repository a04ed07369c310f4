"""xstilts: every (model, intermediate task, seed, target task) as file-backed steps.

The experiment is `config.yaml`, or the file(s) given by --configfile instead of it. Rules follow in
the order in which data flows; what they need to know of the grid is in workflow/rules/common.smk.
"""

import os

from snakemake.utils import min_version

min_version("9.27")

if not workflow.overwrite_configfiles:

    configfile: os.path.join(workflow.current_basedir, "config.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"


rule all:
    """everything that the experiment asks for: the default"""
    default_target: True
    input:
        PLANNING.all() if workflow.is_main_process else [],
    localrule: True


include: "workflow/rules/toy.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"


if EXPERIMENT.pictured:

    include: "workflow/rules/vision.smk"


include: "workflow/rules/subset.smk"


if EXPERIMENT.variants:

    include: "workflow/rules/translate.smk"
    include: "workflow/rules/measures.smk"
    include: "workflow/rules/generate.smk"


include: "workflow/rules/train.smk"
include: "workflow/rules/difficulty.smk"


if GRID.searches.all:

    include: "workflow/rules/search.smk"


include: "workflow/rules/evaluate.smk"


if EXPERIMENT.alignment:

    include: "workflow/rules/alignment.smk"


if GRID.overlapping():

    include: "workflow/rules/overlap.smk"


include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"


if EXPERIMENT.test_languages:

    include: "workflow/rules/test.smk"


onstart:
    take_results()
    PLANNING.start()
    say(gpus.none_here() if workflow.executor_plugin.common_settings.local_exec else "")
    say(old_results())
    say(trackers.cannot_write(Path("results"), EXPERIMENT.settings["trackers"]))
    report_progress()


onsuccess:
    leave_terminal()
    say(PLANNING.left(workflow))


onerror:
    leave_terminal()
    shell(PARTIAL_TABLES)
    shell(PARTIAL_REPORT)
    say(ledger.not_made("results/ledger.jsonl", claims.known(Path())))
