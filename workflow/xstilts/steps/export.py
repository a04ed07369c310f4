"""Step: write a trained model as a folder that transformers loads, with labels and a model card.

    python -m xstilts.steps.export xlmr/mnli/seed1/xnli --to DIR

The name is that of a cell, or of an intermediate (xlmr/mnli/seed1).
"""

import argparse

from xstilts.export import folder, trained
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Write the folder; say what loads it."""
    model = trained.find(args.model, args.config, args.directory, args.task)
    model_class = folder.write(model, args.to)
    if model_class:
        what = f"{model_class} of transformers"
    elif model.head is None:
        what = "the encoder alone, as nothing is tuned for this task"
    else:
        what = "encoder and head apart, as transformers has no class for this head"
    print(f"{args.to}: {what}; its README.md shows how to use it")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_model(p)
    p.add_argument("--to", required=True, help="the folder to write, new or empty")
    return p


if __name__ == "__main__":
    process.run(main, parser())
